"""AWS on this machine: the emulator, what keeps its data, and commands that need its AWS.

emulator.py   ministack in this process, for the local stack
cloud.py      ministack in a process of its own, for tests of what is deployed
session.py    the AWS of the running local stack, for commands
"""
