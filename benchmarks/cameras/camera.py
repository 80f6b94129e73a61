"""One camera: a clip, how it is sent, and the faults that can be switched while it runs."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from benchmarks.cameras.clips import Clip
from benchmarks.cameras.digest import Scheme
from benchmarks.cameras.feed import Feed
from benchmarks.cameras.pace import Pace, current_slot
from benchmarks.cameras.player import Player
from benchmarks.cameras.rtp import CLOCK_HZ, Packets, packetise, without_end

if TYPE_CHECKING:
    import asyncio

    from benchmarks.cameras.loop import LoopServer


@dataclass(eq=False)
class Camera(Feed):
    """Serves a clip without end; frame k of its n is sent when floor(unix time · fps) % n is k.

    A client begins with the next key frame. Methods may be called from any thread, before the camera serves and while
    it does; each returns the Unix time at which it was done.
    """

    clip: Clip
    fps: float = 25.0
    reports: bool = False
    """Send the wall clock of the stream once a second (RTCP sender reports)."""
    burst: bool = False
    """Send a new client what there is since the last key frame, at once."""
    first_frame_without_key: bool = False
    """Begin with whatever frame is next."""
    user: str | None = None
    password: str | None = None
    auth: Scheme = "digest"
    jitter_s: float = 0.0
    """Frames are sent later by up to so much, at random, and in order."""
    wrap: bool = False
    """Each connection's clock runs over (2**32) a second after its first frame."""
    stamped: Literal["presented", "sent"] = "presented"
    """Of a clip with B-frames: when each is shown, or wrongly in the order in which they are sent."""
    recorded: bool = False
    """Play the clip once to each client, from its begin, then hang up."""
    silent_after: int | None = None
    """With `recorded`: send so many frames and then nothing, without hanging up."""
    rtp_info: bool = True
    """Tell the first time and number before they come."""
    seed: int = 0

    trickles: bool = field(default=False, init=False)
    frozen: bool = field(default=False, init=False)
    corrupt_share: float = field(default=0.0, init=False)
    lost_share: float = field(default=0.0, init=False)
    refuses: bool = field(default=False, init=False)
    mute: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.random = random.Random(self.seed)
        self._clock = self.random.getrandbits(32)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._take(self.clip)

    def trickle(self) -> float:
        """Send small packets of a frame that is never complete."""
        return self._set(trickles=True)

    def resume(self) -> float:
        """End `stall`, `trickle` and `freeze_time`; clients go on with the next key frame."""

        def go_on() -> None:
            if self.stalled or self.trickles:
                for player in self._players():
                    player.wants_key = True
            self.stalled = self.trickles = self.frozen = False

        return self._do(go_on)

    def truncate(self) -> float:
        """Cut the next packet in the middle, then close."""
        return self._each(lambda player: player.next_frame("truncate"))

    def corrupt(self, share: float) -> float:
        """Put noise into that share of packets; 0 ends it."""
        return self._set(corrupt_share=share)

    def lose_packets(self, share: float) -> float:
        """Leave out that share of packets; 0 ends it."""
        return self._set(lost_share=share)

    def reset_time(self) -> float:
        """Stamp the next frame with 0 and go on from there, in connections that there are."""
        return self._each(lambda player: player.next_frame("reset_time"))

    def jump_time(self, seconds: float) -> float:
        """Stamp frames later, or earlier, by so much from now on, in connections that there are."""
        return self._each(lambda player: player.shift(seconds))

    def freeze_time(self) -> float:
        """Stamp all frames with the same time, until `resume`."""
        return self._set(frozen=True)

    def refuse_password(self, on: bool = True) -> float:
        """Answer everybody with 401 from now on."""
        return self._set(refuses=on)

    def answer_nothing(self, on: bool = True) -> float:
        """Accept connections and never reply."""
        return self._set(mute=on)

    def change_codec(self, clip: Clip) -> float:
        """Go on with another clip, of another size or codec, without telling those who are connected."""

        def change() -> None:
            self._take(clip)
            for player in self._players():
                player.wants_key = True

        return self._do(change)

    def end(self) -> float:
        """Say goodbye to all clients and hang up."""
        return self._each(lambda player: player.end())

    def number_of(self, timestamp: int) -> int:
        """Return the number of the frame stamped so, of a clip without B-frames when no fault moved the time."""
        ticks = (timestamp - self._clock) % 2**32
        now = current_slot(self.fps)
        behind = (round(now * CLOCK_HZ / self.fps) - ticks + 2**31) % 2**32 - 2**31
        return round(now - behind * self.fps / CLOCK_HZ) % len(self.clip.units)

    # What a server asks of its cameras, on its own thread.

    def begin(self, server: LoopServer[Any], loop: asyncio.AbstractEventLoop | None) -> None:
        """Belong to a server, and send frames on its loop if it runs."""
        super().begin(server, loop)
        self._loop = loop
        if loop is not None and not self.recorded:
            self._pace = Pace(loop, self.fps, self._show, self.jitter_s, self.seed)

    def play(self, transport: asyncio.Transport) -> Player:
        """Let a client have frames, with the next one or when `started`; return what sends them."""
        first_slot = 0 if self.recorded else self._first_slot()
        player = Player(self, transport, first_slot, self.random.getrandbits(16))
        self.clients[transport] = player
        return player

    def started(self, player: Player) -> None:
        """Send what a client gets at once."""
        if self.recorded:
            self._replay(player, 0, self._loop.time() if self._loop else 0.0)
        elif self.burst and not self.stalled and not self.trickles:
            for slot in range(player.first_slot, self._shown() + 1):
                player.send(slot, self.packets(slot))

    def ticks(self, slot: int) -> int:
        """Return the time of a slot on RTP's clock."""
        if self.stamped == "presented":
            index = slot % len(self.clip.units)
            slot += self.clip.units[index].presented - index
        return self._clock + round(slot * CLOCK_HZ / self.fps)

    def packets(self, slot: int) -> Packets:
        """Return the packets of the frame of a slot."""
        return self._packets[slot % len(self._packets)]

    def unended(self, part: int) -> Packets:
        """Return one packet of a frame that never ends."""
        return without_end(self.clip.units[0], self.clip.codec, part)

    def _take(self, clip: Clip) -> None:
        self.clip = clip
        self._packets = [packetise(unit, clip.codec) for unit in clip.units]

    def _shown(self) -> int:
        """Return the slot that was sent last, by the pace that sends the next one: its timers may be late."""
        return self._pace.shown if self._pace is not None else current_slot(self.fps)

    def _first_slot(self) -> int:
        slot = self._shown()
        if self.first_frame_without_key:
            return slot + 1
        step = -1 if self.burst else 1
        slot += not self.burst
        while not self.packets(slot).is_key:
            slot += step
        return slot

    def _replay(self, player: Player, slot: int, began: float) -> None:
        """Send one frame of a recording, and the next when it is due."""
        if self._loop is None or player.transport.is_closing() or slot == self.silent_after:
            return
        if slot == len(self.clip.units):
            player.transport.close()
            return
        player.show(slot, self.packets(slot))
        self._loop.call_at(began + (slot + 1) / self.fps, self._replay, player, slot + 1, began)

    def _show(self, slot: int) -> None:
        if not self.stalled:
            for player in self._players():
                player.show(slot, self.packets(slot))

    def _players(self) -> list[Player]:
        return [player for player in self.clients.values() if isinstance(player, Player)]

    def _each(self, what: Callable[[Player], None]) -> float:
        def on_all() -> None:
            for player in self._players():
                what(player)

        return self._do(on_all)
