"""Where settings are written: a TOML file, the environment, and files that hold secrets.

A source reads what is written into a tree of plain values, which pydantic checks later. It never raises for a mistake
in what it reads: it goes on and keeps each one in `errors`, so that a newsroom sees all of them at once. It remembers
in `written` by which names the values were given, for the mistakes found later. No value is ever part of a message
about a setting that may be secret.

The sources of pydantic-settings are not used: they raise at the first value that they can't parse, pass over unknown
variables, read secrets from one folder only, know neither `NAME_file` nor `NAME_env`, want JSON where people write a
list with commas, and do not keep by which key or variable a value was given. Without them it would only lay one tree
over the other, which is `merged` here, and every command would start a tenth later.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from config.value_types import BESIDE_THE_SETTINGS, is_pem
from feeds.errors import FieldError

Location = tuple[str | int, ...]
Model = type[BaseModel]

PREFIX = "DATELINE_"
CONFIG_VARIABLE = f"{PREFIX}CONFIG"
_NO_SETTINGS = frozenset({CONFIG_VARIABLE, *(PREFIX + name for name in ("API", "KEY", "KEY_FILE"))})
"""Variables that say where the command line finds a newsroom, and are no settings of it."""

# Kubernetes gives a container such variables for each service beside it, and one may well be called "dateline".
_SERVICE_LINK = re.compile(
    r"DATELINE_(\w+_)?(SERVICE_HOST=.*|SERVICE_PORT\w*=.*|PORT_\d+_[A-Z]+\w*=.*|PORT=(tcp|udp|sctp)://.*)"
)


class Source:
    """What one source says: the tree of `values`, the `errors` in it, the names by which values were given.

    `absent`: where values would stand that `NAME_file` or `NAME_env` should have given, and did not.
    """

    def __init__(self, model: Model, environ: Mapping[str, str], folder: Path) -> None:
        """Begin an empty source of settings for `model`; paths of secrets are relative to `folder`."""
        self.values: dict[str, Any] = {}
        self.errors: list[FieldError] = []
        self.written: dict[Location, str] = {}
        self.absent: set[Location] = set()
        self._model = model
        self._environ = environ
        self._folder = folder

    def _refuse(self, location: Location, problem: str) -> None:
        self.errors.append(FieldError(written_key(location, self.written), problem))

    def _follow_pointers(self, table: dict[str, Any], model: Model, at: Location = ()) -> None:
        """Put what `NAME_file` and `NAME_env` point to in their place, in this table and those within."""
        for name, field in model.model_fields.items():
            for pointer in pointers(name, field):
                if pointer in table:
                    self._follow(table, name, pointer, at, listed=_is_list(field))
            value = table.get(name)
            if BESIDE_THE_SETTINGS in field.metadata and isinstance(value, str) and value and not is_pem(value):
                table[name] = str(self._folder / value)
            elif get_origin(field.annotation) is dict and isinstance(value, dict):
                self._follow_entries(value, (*at, name))
            for inner in models_in(field.annotation):
                self._follow_within(value, inner, (*at, name))

    def _follow_within(self, value: Any, model: Model, at: Location) -> None:
        if isinstance(value, dict):
            self._follow_pointers(value, model, at)
        elif isinstance(value, list):
            for position, item in enumerate(value):
                if isinstance(item, dict):
                    self._follow_pointers(item, model, (*at, position))

    def _follow_entries(self, table: dict[str, Any], at: Location) -> None:
        """Follow the pointers in a table whose names are the user's own, and whose values may be secrets."""
        for pointer in list(table):
            name, _, kind = pointer.rpartition("_")
            if name and kind in {"file", "env"}:
                self._follow(table, name, pointer, at, listed=False)

    def _follow(self, table: dict[str, Any], name: str, pointer: str, at: Location, *, listed: bool) -> None:
        target = table.pop(pointer)
        key = (*at, pointer)
        try:
            if name in table:
                # In a list of tables it is the key beside it; the message begins with the table.
                other = name if any(isinstance(part, int) for part in at) else written_key((*at, name), self.written)
                raise ValueError(f"{other} is given too; keep one of the two")  # noqa: TRY301 (one way out)
            value = self._in_file(target, listed) if pointer.endswith("_file") else self._in_variable(target, listed)
        except ValueError as error:
            self._refuse(key, str(error))
            self.absent.add((*at, name))
        else:
            self.written[*at, name] = written_key(key, self.written)
            table[name] = value

    def _in_file(self, path: Any, listed: bool) -> str | list[str]:
        if not isinstance(path, str) or not path or "\0" in path:
            raise ValueError("must be the path of a file")
        try:
            text = (self._folder / path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ValueError(f"the file {path} can't be read: {error.strerror}") from None
        except UnicodeDecodeError:
            raise ValueError(f"the file {path} is not UTF-8 text") from None
        if not text:
            raise ValueError(f"the file {path} is empty")
        return [line.strip() for line in text.splitlines() if line.strip()] if listed else text

    def _in_variable(self, variable: Any, listed: bool) -> str | list[Any]:
        if not isinstance(variable, str) or not variable:
            raise ValueError("must be the name of an environment variable")
        text = self._environ.get(variable, "").strip()
        if not text:
            raise ValueError(f"{variable} is not set in the environment")
        return _items(text) if listed else text


class ConfigFile(Source):
    """A TOML file. Without `readable` there was none to read, or no TOML in it, and `errors` says why."""

    def __init__(self, model: Model, environ: Mapping[str, str], path: Path) -> None:
        """Read the file at `path`; paths in it are relative to its folder."""
        super().__init__(model, environ, path.parent)
        problem = ""
        try:
            text = path.read_text(encoding="utf-8-sig")
            self.values = tomllib.loads(text)
        except OSError as error:
            problem = f"can't be read: {error.strerror}"
        except UnicodeDecodeError as error:
            problem = f"is not UTF-8 text (at byte {error.start + 1})"
        except tomllib.TOMLDecodeError as error:
            # The parser says where, but for a file that ends too early.
            last = f"at line {len(text.splitlines())}, the end of the file"
            problem = f"is no TOML: {str(error).replace('at end of document', last)}"
        self.readable = not problem
        if problem:
            self.errors.append(FieldError(str(path), problem))
        self._follow_pointers(self.values, model)


class Environment(Source):
    """The variables `DATELINE_*`. An empty one counts as not set; an unknown one is a mistake."""

    def __init__(self, model: Model, environ: Mapping[str, str]) -> None:
        """Read `environ`; paths in it are relative to the working directory."""
        super().__init__(model, environ, Path())
        settable = variables(model)
        for variable, text in sorted(environ.items()):
            if not variable.startswith(PREFIX) or variable in _NO_SETTINGS or not text:
                continue
            if variable in settable:
                self._set(variable, text, *settable[variable])
            elif not _SERVICE_LINK.fullmatch(f"{variable}={text}"):
                # The prefix is alike in all of them, so it says nothing about likeness.
                names = {name.removeprefix(PREFIX): name for name in settable}
                self._refuse((variable,), _unknown(variable.removeprefix(PREFIX), names))
        self._follow_pointers(self.values, model)

    def _set(self, variable: str, text: str, location: tuple[str, ...], listed: bool) -> None:
        try:
            value = _items(text) if listed else text
        except ValueError as error:
            self._refuse((variable,), str(error))
            return
        self.written[location] = variable
        table = self.values
        for name in location[:-1]:
            table = table.setdefault(name, {})
        table[location[-1]] = value


def merged(upper: Mapping[str, Any], lower: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of both, table within table; where both have one, the upper source's."""
    both = {name: merged(upper[name], lower[name]) for name in upper if _are_tables(upper[name], lower.get(name))}
    return {**lower, **upper, **both}


def _are_tables(*values: Any) -> bool:
    return all(isinstance(value, dict) for value in values)


def written_key(location: Location, written: Mapping[Location, str]) -> str:
    """Return the name under which the user wrote the value at `location`."""
    for length in range(len(location), 0, -1):
        if name := written.get(location[:length]):
            return ".".join((name, *map(str, location[length:])))
    return ".".join(map(str, location))


def variables(model: Model) -> dict[str, tuple[tuple[str, ...], bool]]:
    """Return every environment variable that `model` can be set by: its location and whether it is a list."""
    return dict(_variables(model, PREFIX, ()))


def _variables(model: Model, prefix: str, at: tuple[str, ...]) -> Iterator[tuple[str, tuple[tuple[str, ...], bool]]]:
    for name, field in model.model_fields.items():
        inside = models_in(field.annotation)
        if inside and not _is_list(field):
            for inner in inside:
                yield from _variables(inner, f"{prefix}{name.upper()}__", (*at, name))
            continue
        yield f"{prefix}{name.upper()}", ((*at, name), _is_list(field))
        if is_secret(field):
            yield f"{prefix}{name.upper()}_FILE", ((*at, f"{name}_file"), False)


def is_secret(field: FieldInfo) -> bool:
    """Whether a setting is kept out of every `repr`, and so may be given by a file or a variable of another name."""
    return not field.repr


def pointers(name: str, field: FieldInfo) -> tuple[str, ...]:
    """Return the keys by which the setting `name` may be given from elsewhere."""
    return (f"{name}_file", f"{name}_env") if is_secret(field) else ()


def unknown_key(model: Model, location: Location) -> str:
    """Say of the key at `location` in a tree for `model` that there is no such setting, and which may be meant."""
    models: tuple[Model, ...] = (model,)
    for part in location[:-1]:
        if isinstance(part, str):
            fields = [model.model_fields[part] for model in models if part in model.model_fields]
            models = tuple(inner for field in fields for inner in models_in(field.annotation))
    names = {
        key: key
        for model in models
        for name, field in model.model_fields.items()
        for key in (name, *pointers(name, field))
    }
    return _unknown(str(location[-1]), names)


def _unknown(word: str, names: Mapping[str, str]) -> str:
    alike = get_close_matches(word, names, n=1)
    return f"is no setting; did you mean {names[alike[0]]}?" if alike else "is no setting"


def _items(text: str) -> list[Any]:
    if not text.lstrip().startswith("["):
        return [item for part in text.split(",") if (item := part.strip())]
    try:
        items: list[Any] = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"is no JSON list: {error.msg} (at character {error.pos + 1})") from None
    return items


def _is_list(field: FieldInfo) -> bool:
    return get_origin(field.annotation) is tuple


def models_in(annotation: Any) -> tuple[Model, ...]:
    """Return the models that an annotation names, also within a tuple, beside None, or one of them to be chosen."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return (annotation,)
    return tuple(model for inner in get_args(annotation) for model in models_in(inner))
