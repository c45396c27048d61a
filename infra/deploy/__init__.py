"""Deploys to AWS: two CloudFormation stacks for each stage, and the packages for them.

<prefix>-data   tables, bucket, queues, topics, keys, the CDN; never deleted by a release
<prefix>        functions, API, schedules, alarms; may be deleted and made again

data.py         the data stack                    package.py   the packing of the other
application.py  what `chalice package` lacks      stacks.py    create, update, delete
functions.py    what each function is and may     policies.py  the policy of its role
gateway.py      refusals, throttle, firewall
methods.py      HEAD and preflights               watching.py  alarms, dashboard, budget
files.py, queues.py  the parts of the data stack
releases.py     zips, template and version of a release
runtime.py      Lambda's Python, and which wheels run on it
"""
