"""Find known terms in text that a device or a person typed: whole words, whatever their accents, case and signs."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence

# A letter that Unicode does not decompose, in capitals.
_PLAIN = str.maketrans({"Ł": "L", "Ø": "O", "Đ": "D", "Ð": "D", "Æ": "AE", "Œ": "OE", "Þ": "TH"})
# A question mark or replacement character before a letter is what a lost character set leaves: the word is unknown.
_WORD = re.compile("(?:[?\ufffd]*[^\\W\\d_])+")
# Scripts without spaces between words, and Korean, whose words have endings: Thai, Korean, Japanese and Chinese.
_UNSPACED = re.compile("[\u0e01-\u0e7f\u1100-\u11ff\u3041-\u30ff\u3400-\u9fff]")
# Shorter words are found within others by chance.
_MIN_JOINED = 4
_MAX_WORD = 64


def folded(text: str) -> str:
    """Text in capitals without accents, with letters of full width."""
    letters = unicodedata.normalize("NFKD", text)
    bare = "".join(letter for letter in letters if not unicodedata.category(letter).startswith("M"))
    return bare.upper().translate(_PLAIN)


class Vocabulary:
    """Names of things, each with its spellings.

    Parameters
    ----------
    spellings : mapping of str to sequence of str
        Words and phrases by name; a spelling may have several names. A star stands for any ending of the last word.
    short : sequence of str
        Words of fewer than four letters that may be run together with others; single letters only before them.
    """

    def __init__(self, spellings: Mapping[str, Sequence[str]], short: Sequence[str] = ()) -> None:
        self._whole: dict[str, tuple[str, ...]] = {}
        self._stems: dict[str, tuple[str, ...]] = {}
        for name, written in spellings.items():
            for spelling in written:
                table = self._stems if spelling.endswith("*") else self._whole
                term = " ".join(_WORD.findall(folded(spelling)))
                names = table.get(term, ())
                table[term] = names if name in names else (*names, name)
        self._short = {folded(word) for word in short}
        self._longest = max((term.count(" ") + 1 for term in self._whole | self._stems), default=1)
        self._unspaced = sorted((term for term in self._whole if _UNSPACED.search(term)), key=len, reverse=True)

    def find(self, text: str) -> list[str]:
        """Names of the terms in a text, in its order; empty where it has none that is known."""
        words = _WORD.findall(folded(text))
        found: list[str] = []
        start = 0
        while start < len(words):
            for end in range(min(len(words), start + self._longest), start, -1):
                names = self._named(" ".join(words[start:end]))
                if names:
                    break
            found += names
            start = end
        return found

    def _named(self, phrase: str) -> tuple[str, ...]:
        """Names of a term, or of the terms that a word consists of or, in a script without spaces, contains."""
        if phrase in self._whole:
            return self._whole[phrase]
        if " " in phrase:
            return self._stem(phrase)
        if _UNSPACED.search(phrase):
            return tuple(name for term in self._contained(phrase) for name in self._whole[term])
        return (self._joined(phrase) if len(phrase) <= _MAX_WORD else ()) or self._stem(phrase)

    def _stem(self, phrase: str) -> tuple[str, ...]:
        """Names of the longest stem with which the last word begins."""
        last_word = phrase.rfind(" ") + 1
        stems = (phrase[:end] for end in range(len(phrase), last_word, -1))
        return next((self._stems[stem] for stem in stems if stem in self._stems), ())

    def _contained(self, phrase: str) -> Iterator[str]:
        position = 0
        while position < len(phrase):
            term = next((term for term in self._unspaced if phrase.startswith(term, position)), "")
            if term:
                yield term
            position += len(term) or 1

    def _joined(self, word: str) -> tuple[str, ...]:
        """Names of at least two terms that make up a word without a rest."""
        ways: dict[int, tuple[str, ...]] = {0: ()}
        for end in range(1, len(word) + 1):
            for start in ways:
                names = self._piece(word, start, end)
                if names:
                    ways[end] = (*ways[start], *names)
                    break
        return ways.get(len(word), ())

    def _piece(self, word: str, start: int, end: int) -> tuple[str, ...]:
        """Names of a part of a word that is a term; the last one may have an ending."""
        piece = word[start:end]
        if (len(piece) < _MIN_JOINED and piece not in self._short) or (len(piece) == 1 and start):
            return ()
        return (
            self._whole.get(piece)
            or self._stems.get(piece)
            or (self._stem(piece) if start and end == len(word) else ())
        )
