"""The moment of the installation, and the ways in which OCP writes times."""

import datetime

# All times are at +08:00.
NOW = datetime.datetime(2024, 8, 9, 16, 6, 2)
WEEK = [datetime.datetime(2024, 8, day) for day in range(3, 10)]


def at(day, time):
    """A time of July or August: the days of July are 26 to 31."""
    month = 7 if day > 9 else 8
    fraction = "%H:%M:%S.%f" if "." in time else "%H:%M:%S"
    return datetime.datetime.combine(datetime.date(2024, month, day), datetime.datetime.strptime(time, fraction).time())


def local(time):
    """As OCP writes most times: no zeros at the end of the fraction."""
    fraction = f".{time.microsecond:06}".rstrip("0").rstrip(".")
    return time.strftime("%Y-%m-%dT%H:%M:%S") + fraction + "+08:00"


def utc(time):
    return local(time - datetime.timedelta(hours=8)).replace("+08:00", "Z")


def milli(time):
    """As OCP writes the times of backups of clusters, and of strategies."""
    return time.strftime("%Y-%m-%dT%H:%M:%S.") + f"{time.microsecond // 1000:03}+08:00"


def seconds(count):
    return datetime.timedelta(seconds=count)


def digest(*parts):
    return hashlib.sha1("/".join(map(str, parts)).encode()).hexdigest()
