"""Runs the Lua scripts of `lua/`, by their digest; loads them when Redis does not know them, or has lost them.

A script is named by its folder and its file: `receivers/claim` is `lua/receivers/claim.lua`. A script whose first line
is `-- with NOUN/NAME.part ...` begins with the text of those files, which several scripts share.

Why not `redis.Redis.register_script`: in a pipeline redis-py asks with SCRIPT EXISTS whether each script is loaded
before it sends anything, which is one more round trip every time, and loads a missing script by yet another one. Here
a pipeline costs one round trip, and only a Redis that has lost its scripts costs two more. And an error of a script
names the script and its key, so that a damaged record can be found. `execute_command` instead of `evalsha`: that goes
through all arguments once more, to see whether it should warn of any.
"""

from __future__ import annotations

import json
from functools import cache
from hashlib import sha1
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Self

from redis.exceptions import NoScriptError, ResponseError

from worker.store import redis_errors

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.resources.abc import Traversable

Client = Any
"""A `redis.Redis` with decoded answers. Its methods are typed as answering now or later: the answers are Any here."""


class Scripts:
    """The scripts, by their names."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._sources = _sources()
        self._digests = _digests()

    def run(self, name: str, keys: Sequence[str], args: Sequence[Any]) -> Any:
        """Run one script and return its answer."""
        try:
            try:
                return self._client.execute_command("EVALSHA", self._digests[name], len(keys), *keys, *args)
            except NoScriptError:
                return self._client.execute_command("EVAL", self._sources[name], len(keys), *keys, *args)
        except ResponseError as error:
            raise _failed(name, keys, error) from None

    def run_after(self, pipe: Client, name: str, keys: Sequence[str], args: Sequence[Any]) -> list[Any]:
        """Run what is in a pipeline and then one script, in one round trip; return all answers, the script's last."""
        pipe.execute_command("EVALSHA", self._digests[name], len(keys), *keys, *args)
        answers: list[Any] = pipe.execute(raise_on_error=False)
        for answer in answers[:-1]:
            if isinstance(answer, Exception):
                raise answer
        if isinstance(answers[-1], NoScriptError):
            answers[-1] = self.run(name, keys, args)
        elif isinstance(answers[-1], ResponseError):
            raise _failed(name, keys, answers[-1])
        elif isinstance(answers[-1], Exception):
            raise answers[-1]
        return answers

    def read(self, *commands: tuple[Any, ...]) -> list[Any]:
        """Return the answers to commands that read one key each, (command, key, argument ...), all at one moment."""
        answers: list[Any] = self.run("commands/read", *self.reading(*commands))
        return answers

    @staticmethod
    def reading(*commands: tuple[Any, ...]) -> tuple[list[str], list[Any]]:
        """Return the keys and arguments of `commands/read` for commands as `read` takes them."""
        keys = list(dict.fromkeys(key for _, key, *_ in commands))
        numbered = [[command, keys.index(key) + 1, *map(str, arguments)] for command, key, *arguments in commands]
        return keys, [json.dumps(numbered)]

    def run_many(
        self, name: str, calls: Sequence[tuple[Sequence[str], Sequence[Any]]], after: Sequence[Sequence[Any]] = ()
    ) -> list[Any]:
        """Run one script for each (keys, args), in one round trip; return the answers in that order.

        If one fails, the others have run nevertheless. `after`: commands that follow in the same round trip. Raises
        redis.RedisError.
        """
        if len(calls) == 1 and not after:
            # What a pipeline costs beside its commands is worth it for several.
            return [self.run(name, *calls[0])]
        answers = self.run_each(name, calls, after)
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer
        return answers

    def run_each(
        self, name: str, calls: Sequence[tuple[Sequence[str], Sequence[Any]]], after: Sequence[Sequence[Any]] = ()
    ) -> list[Any]:
        """As `run_many`; where a script fails because of its own keys or arguments, its error is its answer.

        Raises redis.RedisError when Redis is away, full or refuses us.
        """
        return self.run_each_before(name, calls, after)[0]

    def run_each_before(
        self, name: str, calls: Sequence[tuple[Sequence[str], Sequence[Any]]], commands: Sequence[Sequence[Any]]
    ) -> tuple[list[Any], list[Any]]:
        """As `run_each`, with the answers to the commands that follow in the same round trip; an error is an answer."""
        with self.send_each_before(name, calls, commands) as sent:
            return sent.answers()

    def send_each_before(
        self, name: str, calls: Sequence[tuple[Sequence[str], Sequence[Any]]], commands: Sequence[Sequence[Any]]
    ) -> SentScripts:
        """Send what `run_each_before` runs, and do not wait for the answers. Raises redis.RedisError in an outage."""
        return SentScripts(self._client, name, self._sources[name], self._digests[name], calls, commands)


class SentScripts:
    """Calls of a script, and commands after them, that are on their way to Redis; their answers are read later.

    Whoever leaves its context without the answers closes the connection on which they would have come.
    """

    def __init__(
        self,
        client: Client,
        name: str,
        source: str,
        digest: str,
        calls: Sequence[tuple[Sequence[str], Sequence[Any]]],
        commands: Sequence[Sequence[Any]],
    ) -> None:
        self._client = client
        self._name = name
        self._source = source
        self._calls = calls
        self._commands = [("EVALSHA", digest, len(keys), *keys, *args) for keys, args in calls]
        self._commands += map(tuple, commands)
        self._sent = _Sent(client, self._commands)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._sent.close()

    def answers(self) -> tuple[list[Any], list[Any]]:
        """Wait for the answers of the calls and those of the commands; an error is an answer.

        Raises redis.RedisError when Redis is away, full or refuses us.
        """
        try:
            answers = self._sent.answers()
        except redis_errors.Demoted:
            # Nothing of it had an effect. A new connection may lead to the new primary.
            answers = self._again()
        if any(isinstance(answer, NoScriptError) for answer in answers):
            # None of them ran: Redis lost its scripts, as it does when it starts anew.
            self._client.script_load(self._source)
            answers = self._again()
        called = len(self._calls)
        for place, answer in enumerate(answers[:called]):
            if isinstance(answer, ResponseError):
                answers[place] = _failed(self._name, self._calls[place][0], answer)
        for answer in answers:
            if isinstance(answer, Exception) and redis_errors.kind(answer) != "bug":
                raise answer
        return answers[:called], answers[called:]

    def _again(self) -> list[Any]:
        self._sent.close()
        self._sent = _Sent(self._client, self._commands)
        return self._sent.answers()


class _Sent:
    """Commands on a connection of their own until their answers are read."""

    def __init__(self, client: Client, commands: Sequence[Sequence[Any]]) -> None:
        self._pool = client.connection_pool
        self._unread = len(commands)
        self._connection = self._pool.get_connection()
        try:
            self._connection.send_packed_command(self._connection.pack_commands(commands))
        except BaseException:
            self.close()
            raise

    def answers(self) -> list[Any]:
        """Wait for all answers, and give the connection back."""
        answers: list[Any] = []
        while self._unread:
            try:
                answers.append(self._connection.read_response())
            except ResponseError as error:
                answers.append(error)
            self._unread -= 1
        self.close()
        return answers

    def close(self) -> None:
        """Give the connection back; one with answers that nobody has read is closed."""
        connection, self._connection = self._connection, None
        if connection is not None:
            if self._unread:
                connection.disconnect()
            self._pool.release(connection)


@cache
def _sources() -> dict[str, str]:
    """The text of each script. A process has many stores, and reads a hundred files once."""
    folder = files(__package__) / "lua"
    return {
        f"{noun.name}/{file.name.removesuffix('.lua')}": _whole(folder, file.read_text("utf-8"))
        for noun in folder.iterdir()
        for file in noun.iterdir()
        if file.name.endswith(".lua")
    }


@cache
def _digests() -> dict[str, str]:
    """By what Redis names each script, which is its SHA-1; nothing is protected by it."""
    return {name: sha1(text.encode(), usedforsecurity=False).hexdigest() for name, text in _sources().items()}


def _failed(name: str, keys: Sequence[str], error: ResponseError) -> ResponseError:
    """The error, naming the script and its key if it lies in these; unchanged if Redis is away, full or refuses us."""
    if redis_errors.kind(error) != "bug":
        return error
    failed = ResponseError(f"{name} of {keys[0] if keys else 'nothing'}: {error}")
    failed.__cause__ = error
    return failed


def _whole(folder: Traversable, source: str) -> str:
    first, _, rest = source.partition("\n")
    parts = first.partition("-- with ")[2].split()
    return "".join(folder.joinpath(part).read_text("utf-8") for part in parts) + rest if parts else source
