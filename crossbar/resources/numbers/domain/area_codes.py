# SPDX-License-Identifier: MPL-2.0
"""Which area codes a city has: what an installation without a phone book knows of places.

The codes are those of the North American Numbering Plan, for its largest cities.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from crossbar.documents.schemas.patterns import first_group


class City(NamedTuple):
    """A city, its state or province (two letters) and country, and its area codes."""

    name: str
    state: str
    prefixes: tuple[str, ...]
    country: str = "US"


CITIES: Final = (
    City("ALBUQUERQUE", "NM", ("505",)),
    City("ATLANTA", "GA", ("404", "470", "678", "770", "943")),
    City("AUSTIN", "TX", ("512", "737")),
    City("BALTIMORE", "MD", ("410", "443", "667")),
    City("BOSTON", "MA", ("617", "857")),
    City("BUFFALO", "NY", ("716",)),
    City("CALGARY", "AB", ("403", "587", "825"), "CA"),
    City("CHARLOTTE", "NC", ("704", "980")),
    City("CHICAGO", "IL", ("312", "773", "872")),
    City("CINCINNATI", "OH", ("513",)),
    City("CLEVELAND", "OH", ("216",)),
    City("COLUMBUS", "OH", ("614", "380")),
    City("DALLAS", "TX", ("214", "469", "972", "945")),
    City("DENVER", "CO", ("303", "720", "983")),
    City("DETROIT", "MI", ("313",)),
    City("EL PASO", "TX", ("915",)),
    City("FORT WORTH", "TX", ("817", "682")),
    City("FRESNO", "CA", ("559",)),
    City("HONOLULU", "HI", ("808",)),
    City("HOUSTON", "TX", ("713", "281", "832", "346")),
    City("INDIANAPOLIS", "IN", ("317", "463")),
    City("JACKSONVILLE", "FL", ("904",)),
    City("KANSAS CITY", "MO", ("816", "975")),
    City("LAS VEGAS", "NV", ("702", "725")),
    City("LONG BEACH", "CA", ("562",)),
    City("LOS ANGELES", "CA", ("213", "310", "323", "424", "747", "818")),
    City("LOUISVILLE", "KY", ("502",)),
    City("MEMPHIS", "TN", ("901",)),
    City("MIAMI", "FL", ("305", "786")),
    City("MILWAUKEE", "WI", ("414",)),
    City("MINNEAPOLIS", "MN", ("612",)),
    City("MONTREAL", "QC", ("514", "438"), "CA"),
    City("NASHVILLE", "TN", ("615", "629")),
    City("NEW ORLEANS", "LA", ("504",)),
    City("NEW YORK", "NY", ("212", "332", "646", "917", "347", "718", "929")),
    City("OAKLAND", "CA", ("510", "341")),
    City("OKLAHOMA CITY", "OK", ("405", "572")),
    City("OMAHA", "NE", ("402", "531")),
    City("ORLANDO", "FL", ("407", "689")),
    City("OTTAWA", "ON", ("613", "343"), "CA"),
    City("PHILADELPHIA", "PA", ("215", "267", "445")),
    City("PHOENIX", "AZ", ("602",)),
    City("PITTSBURGH", "PA", ("412",)),
    City("PORTLAND", "OR", ("503", "971")),
    City("RALEIGH", "NC", ("919", "984")),
    City("SACRAMENTO", "CA", ("916", "279")),
    City("SALT LAKE CITY", "UT", ("801", "385")),
    City("SAN ANTONIO", "TX", ("210", "726")),
    City("SAN DIEGO", "CA", ("619", "858")),
    City("SAN FRANCISCO", "CA", ("415", "628")),
    City("SAN JOSE", "CA", ("408", "669")),
    City("SEATTLE", "WA", ("206",)),
    City("ST. LOUIS", "MO", ("314", "557")),
    City("TAMPA", "FL", ("813", "656")),
    City("TORONTO", "ON", ("416", "647", "437"), "CA"),
    City("TUCSON", "AZ", ("520",)),
    City("TULSA", "OK", ("918", "539")),
    City("VANCOUVER", "BC", ("604", "778", "236"), "CA"),
    City("WASHINGTON", "DC", ("202", "771")),
    City("WICHITA", "KS", ("316",)),
)
_BY_PREFIX: Final = {prefix: city for city in CITIES for prefix in city.prefixes}


def beginning_with(text: str) -> list[City]:
    """The cities whose name begins with a text, whatever its case."""
    return [city for city in CITIES if city.name.startswith(text.strip().upper())]


def city_of(number: str) -> City | None:
    """The city of a number in E.164 form, as far as its area code tells."""
    code = first_group(r"^\+1(\d{3})\d{7}$", number)
    return _BY_PREFIX.get(code) if code else None
