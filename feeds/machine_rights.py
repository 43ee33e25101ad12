"""What programs may do with the articles beside showing them: the newsroom's word on mining, training and answering.

One setting is written in the words of each protocol: RSL 1.0 (https://rslstandard.org/rsl), the Text and Data Mining
Reservation Protocol (W3C Community Group, TDMRep), `Content-Usage` (draft-ietf-aipref-attach) and the PLUS vocabulary
of IPTC. It is a statement, and keeps nobody out.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from feeds.article_values import Url

PLUS = "http://ns.useplus.org/ldf/vocab/"


class MachineRights(BaseModel):
    """What is allowed (true), forbidden (false), or not spoken of.

    train: models may be trained with the text. answer: programs may use it to answer questions. search: it may be
    indexed for search. policy: the address at which the terms stand.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    train: bool | None = None
    answer: bool | None = None
    search: bool | None = None
    policy: Url | None = None

    @property
    def permits(self) -> tuple[str, ...]:
        """The usages that are allowed, in the words of RSL."""
        return self._usages(allowed=True)

    @property
    def prohibits(self) -> tuple[str, ...]:
        """The usages that are forbidden, in the words of RSL."""
        return self._usages(allowed=False)

    def _usages(self, *, allowed: bool) -> tuple[str, ...]:
        words = {"ai-train": self.train, "ai-input": self.answer, "search": self.search}
        return tuple(word for word, is_allowed in words.items() if is_allowed is allowed)

    @property
    def is_reserved(self) -> bool | None:
        """Whether rights to mine the text are reserved (TDMRep); None: nothing is stated."""
        return bool(self.prohibits) if self.permits or self.prohibits else None

    @property
    def data_mining(self) -> str:
        """The term of the PLUS vocabulary for it (PLUS LDF, Data Mining), as a URI."""
        if self.prohibits == ("ai-train", "ai-input", "search"):
            return f"{PLUS}DMI-PROHIBITED"
        if self.train is False and self.answer is False and self.search:
            return f"{PLUS}DMI-PROHIBITED-EXCEPTSEARCHENGINEINDEXING"
        if self.train is False:
            return f"{PLUS}DMI-PROHIBITED-AIMLTRAINING"
        if self.permits and not self.prohibits:
            return f"{PLUS}DMI-ALLOWED"
        return f"{PLUS}DMI-UNSPECIFIED"

    @property
    def usage(self) -> str:
        """The value of `Content-Usage`; empty: nothing is stated that it has a word for."""
        preferences = {"train-ai": self.train, "search": self.search}
        stated = {word: is_allowed for word, is_allowed in preferences.items() if is_allowed is not None}
        return ", ".join(f"{word}={'y' if is_allowed else 'n'}" for word, is_allowed in stated.items())

    @property
    def headers(self) -> list[tuple[str, str]]:
        """The header fields of a response, with names in lower case."""
        fields = [("content-usage", self.usage)]
        if self.is_reserved is not None:
            fields.append(("tdm-reservation", str(int(self.is_reserved))))
            fields.append(("tdm-policy", self.policy or ""))
        return [(name, value) for name, value in fields if value]

    def tdmrep(self, location: str) -> dict[str, str | int]:
        """Return the entry for a path in /.well-known/tdmrep.json; empty when nothing is stated."""
        if self.is_reserved is None:
            return {}
        policy = {"tdm-policy": self.policy} if self.policy else {}
        return {"location": location, "tdm-reservation": int(self.is_reserved), **policy}


NOTHING_STATED = MachineRights.model_construct()
