"""The system on one machine: ``python -m infra.local run``; ``stack.LocalStack`` for tests.

    stack       the whole: emulator (infra.emulator), HTTP and background functions
    gateway     HTTP as API Gateway has it         (server: waitress; issuer: development tokens)
    drivers     everything else in app.py          (sources, events, schedules)
    mailbox     the messages that would have been sent

None of it ships.
"""
