"""Words that this project does not use, each with the standard word of the field: docs/glossary.md.

A pattern is a regular expression for whole words, whatever their case. Patterns name what is almost always
wrong in a text about software; where such a word is right, rewriting the sentence costs little.
"""

REPLACED: dict[str, str] = {
    r"(?:tells?|told|telling)(?! apart)|tellers?": "notify, report, publish, say",
    r"told apart|tells? apart": "classify, distinguish",
    r"heed(?:s|ed|ing)?": "read, handle",
    r"hears?|heard": "receive",
    r"set(?:s|ting)? aside": "quarantine",
    r"mend(?:s|ed|ing)?": "fix, repair",
    r"at fault": "caused by",
    r"given up|gives? up|give back|gives? back": "abandoned, release",
    r"goes on|go on|comes? back": "continue, retry, be redelivered",
    r"somebody|nobody|anybody|whoever|everybody": "the customer, the operator, an account that",
    r"deeds?|shelf|shelves|apart from": "action, store, except",
    r"way of|(?<!your )own cloud|clouds? of (?:its|their) own": "path, BYOC",
    r"holdings?|what we hold": "data inventory, personal data stored",
    r"custody": "credentials",
    r"sealed|sealing|unsealed": "encrypted",
    r"buried|bury": "tombstone",
    r"has had its time|what is due|that is due|overdue|is due": "expired, past retention",
    r"news": "announcements",
    r"of ours|of theirs|of yours": "our, their, your",
    r"is no (?:fault|error)": "is not an error",
    r"taken for": "mistaken for, treated as",
    r'"""of|/\*\* of': "a noun: the limit of, the size of",
}
