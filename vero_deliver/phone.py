"""Phone numbers, read with the numbering plans that `phonenumbers` (libphonenumber) knows."""

from __future__ import annotations

import re

_FILLING = re.compile(r"[\s().\-/]")
_NUMBER = re.compile(r"\+?[0-9]+")
E164 = re.compile(r"\+[1-9][0-9]{6,14}")  # ITU-T E.164: at most 15 digits
SHORT_CODE = re.compile(r"[0-9]{3,8}")


def e164(text: str, region: str = "") -> str:
    """The number as +420601000001, or a short code as it is. ValueError where it is neither.

    region: the country that a number without + belongs to, "CZ" (ISO 3166-1). A number is as
    long as its country's are; whether anybody has it is not known.
    """
    bare = _FILLING.sub("", text)
    if E164.fullmatch(bare) and "(0)" not in text:
        return bare
    is_code = bool(SHORT_CODE.fullmatch(bare))
    found = _parsed(text, region, certain=is_code) if _NUMBER.fullmatch(bare) else ""
    if found or is_code:
        return found or bare
    hint = "" if region else "; no region is known that it could belong to"
    raise ValueError(f"{text[:40]!r} is no number as E.164 has it: +447700900123{hint}")


def country(number: str) -> str:
    """The country of a number in E.164, "GB"; empty where it has none or is not known."""
    import phonenumbers  # only where senders differ by country

    try:
        found = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return ""
    # of a number that nobody can have, the country that its code mainly stands for
    region = phonenumbers.region_code_for_number(found)
    region = region or phonenumbers.region_code_for_country_code(found.country_code or 0)
    return region if region in phonenumbers.SUPPORTED_REGIONS else ""


def is_region(region: str) -> bool:
    """True for a country that has a numbering plan."""
    import phonenumbers  # as above

    return region in phonenumbers.SUPPORTED_REGIONS


def _parsed(text: str, region: str, *, certain: bool) -> str:
    """In E.164, empty where it cannot be. certain: only where its country gives such numbers."""
    import phonenumbers  # only where the number is not written in full

    try:
        found = phonenumbers.parse(text, region.upper() or None)
    except phonenumbers.NumberParseException:
        return ""
    fits = phonenumbers.is_valid_number if certain else phonenumbers.is_possible_number
    if not fits(found):
        return ""
    return phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.E164)
