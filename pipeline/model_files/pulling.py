"""Have the file of a card: look whether it is here and may be fetched, fetch it, and keep to its checksum."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.cards import ModelCard, load_card, no_file
from pipeline.errors import ConfigError, FetchError
from pipeline.model_files import pins, terms
from pipeline.model_files.checking import COMMAND, accepting, changed
from pipeline.model_files.fetching import Wanted, archive_of, fetch
from pipeline.model_files.folders import fetched_folder, is_read_only, place_of
from pipeline.model_files.settings import MIRROR, OFFLINE, Settings
from pipeline.model_files.transfer import Means

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Missing:
    """A model whose file is not here and can be fetched."""

    name: str
    """How its user calls the card."""
    card: ModelCard
    place: Path
    """Where the file will stand."""


@dataclass
class Store:
    """The model files of a checkout, and what is needed to get more."""

    root: Path
    settings: Settings
    means: Means
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    _archives: set[Path] = field(default_factory=set)

    def missing(self, names: Iterable[str]) -> list[Missing]:
        """Return those of some cards whose files are to be fetched, each file once.

        Raises:
            ConfigError: there is no such card, or it is wrong.
        """
        found: dict[Path, Missing] = {}
        for name in dict.fromkeys(names):
            card, path = load_card(name, self.root)
            if card.url and not path.is_file():
                found.setdefault(path, Missing(name, card, path))
        return list(found.values())

    def why_not(self, one: Missing) -> str | None:
        """Return what keeps a file from being fetched, and what to type about it; None where nothing does."""
        return self.offline(one) or self.licence(one)

    def offline(self, one: Missing) -> str | None:
        """Return how to have a file where there is no network; None where there is, or a folder has it."""
        if not self.settings.offline or self._in_folder(one.place):
            return None
        return (
            f"model {one.name!r}: expected the file {one.place}, got none, and offline ({OFFLINE} or --offline) "
            f"nothing is fetched; type {COMMAND} pull {one.name} where there is a network and bring the file here, "
            f"or name a folder that has it in {MIRROR}"
        )

    def licence(self, one: Missing) -> str | None:
        """Return what a licence forbids and how to accept it; None where it was accepted, or forbids nothing."""
        card = one.card
        if terms.is_accepted(card.name, card.licence, card.forbids, self.root, self.environ):
            return None
        return (
            f"model {one.name!r}: expected its licence to be accepted before the file is fetched, got no answer yet: "
            f"{_told(card)}; to accept it, type {COMMAND} pull {one.name} --accept-licence"
        )

    def get(self, one: Missing) -> str:
        """Fetch a file, keep to its checksum where its makers told none, and return what to say about it.

        Raises:
            ConfigError: it may not be fetched; says what to type.
            FetchError: it cannot be had.
            PipelineError: it cannot be written.
        """
        if reason := self.why_not(one):
            raise ConfigError(reason)
        card = one.card
        assert card.url
        wanted = Wanted(one.place, card.url, card.member, card.sha256, card.archive_sha256, card.bytes)
        self._archives.add(archive_of(wanted))
        try:
            got = fetch(wanted, self.settings, self.means)
        except FetchError as error:
            if not (card.pinned and card.sha256):
                raise
            told = f"it is held to what came first ({self._pins}); to take what is there now: {accepting(one.name)}"
            raise FetchError(f"{error}\nmodel {one.name!r}: {told}") from error
        if card.sha256:
            return f"{one.name}: fetched to {one.place}"
        return f"{one.name}: fetched to {one.place}; {self._pin(card, got)}"

    def keep_to(self, name: str) -> str | None:
        """Keep to the checksum of a file that is here and whose makers told none; return what to say about it.

        Raises:
            PipelineError: that cannot be remembered.
        """
        card, path = load_card(name, self.root)
        if card.sha256 or not card.url or not path.is_file():
            return None
        return f"{name}: {path}; {self._pin(card, pins.sha256_of(path))}"

    def pull(self, name: str, accept_change: bool = False) -> str:
        """Have the right file of a card here, and return what to say about it.

        Args:
            name: of the card.
            accept_change: whether a file of another checksum than the pinned one is kept to from now on.

        Raises:
            ConfigError: there is no such card, its file is not published, or it may not be fetched.
            FetchError: it cannot be had.
            PipelineError: it cannot be written.
        """
        card, path = load_card(name, self.root)
        if accept_change and card.pinned:
            card = card.model_copy(update={"sha256": None})
        if not path.is_file():
            if not card.url:
                raise ConfigError(no_file(card, path))
            return self.get(Missing(name, card, path))
        if card.sha256 is None and card.url:
            return f"{name}: here, {path}; {self._pin(card, pins.sha256_of(path))}"
        problem = changed(card, path, name, self.root)
        if problem is None:
            return f"{name}: {'ships' if card.shipped else 'here'}, {path}"
        if card.pinned or not self._may_be_replaced(card, path):
            raise ConfigError(problem)
        logger.info("%s; fetched anew", problem.partition("; ")[0])
        return self.get(Missing(name, card, path))

    def accept(self, name: str) -> str | None:
        """Remember that the licence of a card was accepted; return what it says, or None where it forbids nothing.

        Raises:
            PipelineError: there is no such card, or it cannot be remembered.
        """
        card, _ = load_card(name, self.root)
        if not card.forbids:
            return None
        where = terms.accept(card.licence, card.forbids, self.root)
        return f"{name}: accepted, and remembered in {where}: {_told(card)}"

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Keep archives until all files were taken out of them; what was ended by hand is gone on with next time."""
        try:
            yield
        except Exception:
            self._clear()
            raise
        self._clear()

    def _clear(self) -> None:
        for archive in self._archives:
            with suppress(OSError):
                archive.unlink(missing_ok=True)
        self._archives.clear()

    def _may_be_replaced(self, card: ModelCard, path: Path) -> bool:
        """Tell whether a damaged file is one that was fetched, or could have been."""
        return bool(card.url) and path == place_of(path, self.environ) and not is_read_only(path, self.environ)

    def _in_folder(self, place: Path) -> bool:
        mirror = self.settings.mirror
        return isinstance(mirror, Path) and (mirror / place.name).is_file()

    def _pin(self, card: ModelCard, sha256: str) -> str:
        where = pins.pin(card.url or "", card.member, sha256, self.root)
        return f"its makers tell no checksum, so it is held to this one from now on: {sha256} ({where})"

    @property
    def _pins(self) -> Path:
        return fetched_folder(self.root) / pins.FILE


def _told(card: ModelCard) -> str:
    return f"{card.licence or 'licence unknown'}: {card.forbids.rstrip('.')}"
