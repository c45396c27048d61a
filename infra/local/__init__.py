"""The system on one machine: ``python -m infra.local run``; ``stack.LocalStack`` for tests.

    stack       the whole; emulator, http and drivers put together
    emulator    AWS: ministack in this process     (setting, bridge, letters: its insides; store)
    gateway     HTTP as API Gateway has it         (server: waitress; issuer: development tokens)
    drivers     everything else in app.py          (sources, events, schedules)
    mailbox     what would have been sent

None of it ships.
"""
