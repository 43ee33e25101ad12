"""Templates of newsrooms: Jinja2 in which every node, filter, test and call is one of a list, and costs units.

A template sees plain values. It can loop, choose, name values, define macros and call filters; it reads no file, no
other template and no attribute of Python, and its values have no methods. In XML and HTML what it writes is escaped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from math import isfinite
from types import TracebackType
from typing import Any

from jinja2 import StrictUndefined, TemplateRuntimeError, TemplateSyntaxError, UndefinedError, nodes, pass_context
from jinja2.environment import Template
from jinja2.runtime import Context, LoopContext, Macro, Undefined
from jinja2.sandbox import SandboxedEnvironment
from jinja2.utils import Namespace
from jinja2.visitor import NodeTransformer

from feeds.formats.interface import FormatFault
from feeds.formats.own import budget, filters
from feeds.formats.own.budget import Budget

SOURCE_MOST = 100_000
"""The longest template, in characters."""
_NODES_PER_UNIT = 8
_CALL_UNITS = 32
"""What a call of a macro costs, beside what its body may be long."""

_ALLOWED: tuple[type[nodes.Node], ...] = (
    *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.NSRef, nodes.Const, nodes.Tuple, nodes.List),
    *(nodes.Dict, nodes.Pair, nodes.Keyword, nodes.If, nodes.For, nodes.Assign, nodes.AssignBlock, nodes.Macro),
    *(nodes.With, nodes.Getattr, nodes.Getitem, nodes.Slice, nodes.CondExpr, nodes.Concat, nodes.Compare),
    *(nodes.Operand, nodes.Test, nodes.Filter, nodes.FilterBlock, nodes.Call, nodes.And, nodes.Or, nodes.Not),
    *(nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Neg, nodes.Pos),
)
_TESTS = frozenset(
    """boolean defined divisibleby eq equalto even false in mapping ne none number odd sequence string true
    undefined""".split()  # noqa: SIM905 (quoted words are harder to read)
)
_WEIGHED, _TEXT, _TURNS = "weighed", "text_of_value", "turns"
"""Filters that are put around expressions; no template can name them, as their names have a space before them."""
_LOOP_CALLS = frozenset({"cycle", "changed"})


class _Missing(StrictUndefined):
    """What is not there: an error as soon as anything is done with it, by the name that it was asked for."""

    __slots__ = ()


class _Charging(NodeTransformer):
    """Refuses nodes that are not allowed, and puts what charges for them around those that can cost much."""

    def generic_visit(self, node: nodes.Node, *arguments: Any, **options: Any) -> nodes.Node:
        if not isinstance(node, _ALLOWED):
            raise FormatFault(f"{_words(node)} is not for these templates", node.lineno)
        visited = super().generic_visit(node, *arguments, **options)
        match visited:
            case nodes.Const(value=float(number)) if not isfinite(number):
                # Jinja2 would write it as a name, `inf`.
                raise FormatFault("has a number that is too large", node.lineno)
            case nodes.For():
                visited.iter = _around(_TURNS, visited.iter, nodes.Const(_weight([*visited.body, *visited.else_])))
            case nodes.Compare():
                visited.expr = _around(_WEIGHED, visited.expr)
                for operand in visited.ops:
                    operand.expr = _around(_WEIGHED, operand.expr)
            case nodes.Test():
                visited.node = _around(_WEIGHED, visited.node)
                visited.args = [_around(_WEIGHED, argument) for argument in visited.args or ()]
            case nodes.Concat():
                visited.nodes = [_around(_TEXT, part) for part in visited.nodes]
            case nodes.Getitem(arg=nodes.Slice()):
                visited.node = _around(_WEIGHED, visited.node)
        return visited


def _words(node: nodes.Node) -> str:
    return {
        "Pow": "**",
        "Include": "include",
        "Import": "import",
        "FromImport": "import",
        "Extends": "extends",
        "Block": "block",
        "CallBlock": "call",
    }.get(type(node).__name__, type(node).__name__.lower())


def _around(name: str, inner: Any, *arguments: nodes.Expr) -> nodes.Filter:
    return nodes.Filter(inner, f" {name}", list(arguments), [], None, None, lineno=inner.lineno)


def _weight(body: list[nodes.Node]) -> int:
    """What one turn of a loop costs: by the literal text and the nodes in it."""
    units, count = 1, 0
    for part in body:
        for node in (part, *part.find_all(nodes.Node)):
            count += 1
            if isinstance(node, nodes.TemplateData):
                units += len(node.data) // budget.CHARACTERS_PER_UNIT
            elif isinstance(node, nodes.Const) and isinstance(node.value, str):
                units += len(node.value) // budget.CHARACTERS_PER_UNIT
    return units + count // _NODES_PER_UNIT


@pass_context
def _weighed(context: Context, value: Any) -> Any:
    del context  # a filter that takes it is never called before the rendering
    if not isinstance(value, Undefined):
        budget.current().weigh(value)
    return value


@pass_context
def _turns(context: Context, value: Any, weight: int) -> Iterator[Any]:
    """Charge for each turn of a loop over a value."""
    del context
    _there(value)
    if isinstance(value, str) or not isinstance(value, list | tuple | range | Mapping):
        raise FormatFault(f"a loop goes over a list, not {filters.kind(value)}")
    spend = budget.current().spend
    spend(len(value))

    def turns() -> Iterator[Any]:
        for item in value:
            spend(weight)
            yield item

    return turns()


def _there(value: Any) -> None:
    """Raise UndefinedError if a value is missing."""
    if isinstance(value, Undefined):
        value._fail_with_undefined_error()  # noqa: SLF001 (Jinja's own way to say what is missing)


def _text(value: Any) -> Any:
    """A value as it is written: nothing for none, and no list or table."""
    if isinstance(value, Undefined):
        return value
    if value is None:
        return ""
    if isinstance(value, str):
        paying = budget.paying()
        if paying:
            paying.characters(len(value))
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return value
    raise FormatFault(f"{filters.kind(value)} can't be written: join it, loop over it, or name one of its fields")


@pass_context
def _text_of_value(context: Context, value: Any) -> Any:
    del context
    return _text(value)


def _charged(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the filter as templates call it: what it is given and what it makes is weighed."""
    times = filters.COSTLY.get(name, 1)

    @pass_context
    def call(context: Context, value: Any, *arguments: Any, **options: Any) -> Any:
        del context
        paying = budget.current()
        for item in (value, *arguments, *options.values()):
            if not isinstance(item, Undefined):
                paying.weigh(item)
        if isinstance(value, str):
            paying.characters(len(value) * (times - 1))
        if isinstance(value, Undefined) and function is not filters.FILTERS["default"]:
            value._fail_with_undefined_error()  # noqa: SLF001
        try:
            result = function(value, *arguments, **options)
        except TypeError:
            raise FormatFault(f"{name} is given what it does not take") from None
        paying.weigh(result)
        return result

    return call


def _charged_list(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The same of a filter of Jinja2 over lists."""

    @pass_context
    def call(context: Context, value: Any, *arguments: Any, **options: Any) -> Any:
        paying = budget.current()
        _there(value)
        if not isinstance(value, list | tuple | range):
            raise FormatFault(f"{name} takes a list, not {filters.kind(value)}")
        paying.weigh(value)

        def items() -> Iterator[Any]:
            for item in value:
                paying.weigh(list(arguments))
                yield item

        try:
            result = list(function(context, items(), *arguments, **options))
        except TypeError:
            raise FormatFault(f"{name} is given what it does not take") from None
        return result

    return call


@pass_context
def _tojson(context: Context, value: Any) -> str:
    if not isinstance(value, Undefined):
        budget.current().weigh(value)
    return filters.tojson(value, in_markup=bool(context.eval_ctx.autoescape))


class _Environment(SandboxedEnvironment):
    """Jinja2's sandbox, closed further. `markup`: what is written is escaped."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%", "**"})

    def __init__(self, *, markup: bool) -> None:
        # Nothing is worked out while a template is compiled: no budget pays for that.
        super().__init__(
            autoescape=markup,
            undefined=_Missing,
            loader=None,
            optimized=False,
            cache_size=0,
            finalize=_text,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=False,
        )
        self.globals.clear()
        self.globals.update(range=_range, namespace=Namespace)
        self.tests = {name: test for name, test in self.tests.items() if name in _TESTS}
        self.filters.clear()
        self.filters.update({name: _charged(name, function) for name, function in filters.FILTERS.items()})
        self.filters.update({name: _charged_list(name, function) for name, function in filters.OF_LISTS.items()})
        self.filters["tojson"] = _tojson
        self.filters.update({f" {_WEIGHED}": _weighed, f" {_TEXT}": _text_of_value, f" {_TURNS}": _turns})

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = _Charging().visit(super()._parse(source, name, filename))
        assert isinstance(tree, nodes.Template)
        return tree

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return a field of a table, or what a loop says of itself; never an attribute of Python."""
        _there(obj)
        if isinstance(obj, Mapping):
            return obj[attribute] if attribute in obj else self.undefined(obj=obj, name=attribute)
        if isinstance(obj, LoopContext | Namespace) and not attribute.startswith("_") and hasattr(obj, attribute):
            return getattr(obj, attribute)
        return self.undefined(obj=obj, name=attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Return a field of a table, or an item of a list or of a text."""
        _there(obj)
        if isinstance(obj, Mapping | list | tuple | range | str):
            try:
                return obj[argument]
            except (LookupError, TypeError, ValueError):
                pass
        return self.undefined(obj=obj, name=argument)

    def call(self, context: Context, target: Any, /, *arguments: Any, **options: Any) -> Any:
        """Call a macro, a loop that goes deeper, or one of the few functions; nothing else can be called."""
        is_of_loop = isinstance(getattr(target, "__self__", None), LoopContext) and target.__name__ in _LOOP_CALLS
        if not (isinstance(target, Macro | LoopContext) or target in (_range, Namespace) or is_of_loop):
            _there(target)
            raise FormatFault("values have no methods; use a filter, as in article.headline|upper")
        paying = budget.current()
        paying.spend(paying.call_units)
        with paying.deeper():
            try:
                return context.call(target, *arguments, **options)
            except TypeError as error:
                raise FormatFault(f"a call is given what it does not take: {error}") from None

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Reckon with numbers; + also puts lists and texts together."""
        both = (left, right)
        for value in both:
            _there(value)
        numbers = all(isinstance(value, int | float) for value in both)
        joined = operator == "+" and any(all(isinstance(value, kind) for value in both) for kind in (str, list))
        if not (numbers or joined):
            raise FormatFault(f"{operator} takes numbers, not {filters.kind(left)} and {filters.kind(right)}")
        paying = budget.current()
        paying.weigh(list(both))
        try:
            result = super().call_binop(context, operator, left, right)
        except (ZeroDivisionError, OverflowError):
            raise FormatFault(f"{operator} has no result") from None
        paying.weigh(result)
        return result


def _range(*bounds: Any) -> range:
    """Whole numbers; a loop over them pays for each turn."""
    try:
        return range(*bounds)
    except (TypeError, ValueError):
        raise FormatFault("range takes up to three whole numbers") from None


_MARKUP, _PLAIN = _Environment(markup=True), _Environment(markup=False)


class CompiledTemplate:
    """A template, ready to be rendered. Threads may share it.

    `markup`: whether what it writes is escaped as in XML and HTML. Raises FormatFault with the line.
    """

    def __init__(self, source: str, *, markup: bool) -> None:
        if len(source) > SOURCE_MOST:
            raise FormatFault(f"is longer than {SOURCE_MOST} characters")
        environment = _MARKUP if markup else _PLAIN
        self._call_units = _CALL_UNITS + len(source) // budget.CHARACTERS_PER_UNIT
        try:
            self._template: Template = environment.from_string(source)
        except TemplateSyntaxError as error:
            raise FormatFault((error.message or "is no template").rstrip("."), error.lineno) from None
        except (RecursionError, MemoryError, SyntaxError, OverflowError):
            raise FormatFault("is nested too deeply") from None

    def render(self, variables: Mapping[str, Any], units: int = budget.UNITS) -> str:
        """Return what the template makes of these values. Raises FormatFault with the line."""
        with budget.within(Budget(units, self._call_units)):
            try:
                context = self._template.new_context(dict(variables))
                return "".join(self._template.root_render_func(context))
            except FormatFault as fault:
                raise FormatFault(fault.problem, fault.line or self._line(fault.__traceback__)) from None
            except UndefinedError as error:
                raise FormatFault(_missing(error), self._line(error.__traceback__)) from None
            except TemplateRuntimeError as error:
                # A filter or test that another one was to call by its name.
                raise FormatFault(
                    (error.message or "can't be carried out").rstrip("."), self._line(error.__traceback__)
                ) from None
            except RecursionError as error:
                raise FormatFault("goes too deep", self._line(error.__traceback__)) from None
            except (TypeError, ValueError, LookupError, ArithmeticError, AttributeError) as error:
                raise FormatFault(f"can't be carried out: {error}", self._line(error.__traceback__)) from None

    def _line(self, traceback: TracebackType | None) -> int:
        """The line of the template in which an error was raised: of the innermost of its frames."""
        line = 0
        while traceback is not None:
            if traceback.tb_frame.f_globals.get("__jinja_template__") is self._template:
                line = self._template.get_corresponding_lineno(traceback.tb_lineno)
            traceback = traceback.tb_next
        return line


def _missing(error: UndefinedError) -> str:
    """What is missing, in our words: Jinja2's name the type of Python."""
    message = str(error)
    if "has no attribute" in message:
        return f"there is no field {message.rpartition('attribute ')[2]}"
    return message.replace("is undefined", "is not there")
