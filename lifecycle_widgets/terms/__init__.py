"""What the words mean that lessons, tables, figures and widgets use. Plain values.

`GLOSSARY` has them by name, `glossary` shows them, `tip` is one line for a tooltip.
"""

from __future__ import annotations

from lifecycle_widgets.terms.known import GLOSSARY, term_of, terms_of, tip
from lifecycle_widgets.terms.reading import HOW_TO_READ, how_to_read
from lifecycle_widgets.terms.shown import Glossary, glossary
from lifecycle_widgets.terms.term import Term

__all__ = [
    "GLOSSARY",
    "HOW_TO_READ",
    "Glossary",
    "Term",
    "glossary",
    "how_to_read",
    "term_of",
    "terms_of",
    "tip",
]
