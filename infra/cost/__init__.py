"""What a month costs: units counted on a replayed month, times dated prices, for three cities.

replay.py      plays reports, looks and polls on the local stack
measuring.py   counts what they take of DynamoDB, S3, SNS and SQS, and measures their CPU
cpu.json       CPU seconds, with the date on which ``python -m infra.cost --cpu`` measured them
bill.py        units times a city's month times prices; and what others cost
prices.json    dollars, with the date and where they were read
cities.json    who uses it how much

Everything but CPU is counted, so two runs give the same bill. CPU depends on the machine, so it
is a constant in cpu.json.
"""
