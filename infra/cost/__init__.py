"""What a month costs: units measured on a replayed month, prices with their date, three cities.

measuring.py   what one report, one look, one poll take of DynamoDB, Lambda and S3
bill.py        units times a city's month times prices; and what others cost
prices.json    dollars, with the date and where they were read
cities.json    who uses it how much
"""
