"""The sandboxed Jinja environment: template source -> compiled template, as transformers compiles it.

Settings, filters and globals are those of transformers 4.57
(utils/chat_template_utils.py, `_compile_jinja_template`); on top of them every
operation is counted (`bounds`, `guards`). Importing this module imports jinja2.
"""

from __future__ import annotations

import json
from contextvars import ContextVar
from datetime import datetime
from functools import lru_cache
from types import BuiltinMethodType, MethodType

import jinja2
from jinja2 import nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.runtime import Macro, markup_join, str_join
from jinja2.sandbox import ImmutableSandboxedEnvironment, SandboxedEscapeFormatter, SandboxedFormatter
from jinja2.utils import Namespace, generate_lorem_ipsum, pass_context, pass_eval_context
from jinja2.visitor import NodeTransformer
from markupsafe import Markup

from tokenizers_lite.chat.bounds import BoundExceeded, Budget, Limits, current, using
from tokenizers_lite.chat.guards import BoundedFormat, charge_method, charge_operator, guard_filter, guard_lipsum
from tokenizers_lite.chat.marks import Marks, mark_template

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from jinja2.parser import Parser
    from jinja2.runtime import Context

FILENAME = "<chat template>"
now: ContextVar[datetime | None] = ContextVar("tokenizers_lite.chat.now", default=None)

_MADE, _CONCAT, _TICK = "<made>", "<concat>", "<tick>"  # filters that no template can name: they are no identifiers


class GenerationTag(Extension):
    """``{% generation %}...{% endgeneration %}`` marks the assistant's text; it renders as its body."""

    tags = {"generation"}  # noqa: RUF012 - jinja2's own way

    def parse(self, parser: Parser) -> nodes.Node:
        """Parse the block into a call of `_body`."""
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.CallBlock(self.call_method("_body"), [], [], body).set_lineno(line)

    def _body(self, caller: Macro) -> str:
        return caller()


class _Formatter(BoundedFormat, SandboxedFormatter):
    """The sandbox's formatter, charged."""


class _EscapeFormatter(BoundedFormat, SandboxedEscapeFormatter):
    """The sandbox's formatter for escaped text, charged."""


class _Namespace(Namespace):
    """Jinja's `namespace()`; written out only as far as the bounds allow, since it can hold itself."""

    def __repr__(self) -> str:
        current().step()
        text = super().__repr__()
        current().step(len(text))
        return text


def _raise_exception(message: str) -> None:
    raise jinja2.TemplateError(message)


def _tojson(
    x: Any,
    ensure_ascii: bool = False,
    indent: int | str | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def _strftime_now(format: str) -> str:  # noqa: A002 - its name in templates
    current().step(256 * len(format))
    return (now.get() or datetime.now()).strftime(format)  # noqa: DTZ005 - local time, as transformers


@pass_eval_context
def _concat(eval_context: nodes.EvalContext, parts: list[Any]) -> str:
    """``a ~ b``, charged."""
    current().step(sum(map(current().weigh, parts)))
    return (markup_join if eval_context.autoescape else str_join)(parts)


@pass_context  # keeps Jinja from folding it at compile time
def _tick(_: Context, cost: int) -> bool:
    """Count one round of a loop or one call of a macro; compiled into each."""
    return current().step(cost)


def _made(value: Any) -> Any:
    return current().made(value)


class BoundedEnvironment(ImmutableSandboxedEnvironment):
    """transformers' environment, every operation counted."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self) -> None:
        super().__init__(
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=[GenerationTag, loopcontrols],
            finalize=self._written,
            cache_size=0,
        )
        self.filters["tojson"] = _tojson
        for name, function in self.filters.items():
            passes = getattr(function, "jinja_pass_arg", None) is not None
            self.filters[name] = guard_filter(name, function, passes_argument=passes)
        self.filters[_MADE] = _made
        self.filters[_CONCAT] = _concat
        self.filters[_TICK] = _tick
        self.globals["raise_exception"] = _raise_exception
        self.globals["strftime_now"] = _strftime_now
        self.globals["namespace"] = _Namespace
        self.globals["lipsum"] = guard_lipsum(generate_lorem_ipsum)

    def _written(self, value: Any) -> Any:
        """Count what ``{{ value }}`` writes."""
        budget = current()
        budget.step(budget.weigh(value))
        return value

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Apply an operator."""
        current().step()
        charge_operator(operator, left, right)
        return super().call_binop(context, operator, left, right)

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        """Replace `str.format` and `str.format_map` by sandboxed, charged ones."""
        if super().wrap_str_format(value) is None:
            return None
        text = value.__self__
        str_type: type[str] = type(text)  # escaped text stays so
        formatter = _EscapeFormatter(self, escape=text.escape) if isinstance(text, Markup) else _Formatter(self)

        def format_text(*args: Any, **kwargs: Any) -> str:
            if value.__name__ == "format_map":
                if kwargs or len(args) != 1:
                    raise TypeError(f"format_map() takes exactly one argument ({len(args) + len(kwargs)} given)")
                return str_type(formatter.vformat(text, (), args[0]))
            return str_type(formatter.vformat(text, args, kwargs))

        return format_text

    def call(self, context: Context, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call something from a template."""
        budget = current()
        budget.enter()
        try:
            if isinstance(obj, (BuiltinMethodType, MethodType)):
                # Jinja's own two variables travel among the arguments.
                named = {key: value for key, value in kwargs.items() if key not in ("_loop_vars", "_block_vars")}
                args = charge_method(obj.__self__, obj.__name__, args, named)
            return budget.made(super().call(context, obj, *args, **kwargs))
        finally:
            budget.leave()


class _Counter(NodeTransformer):
    """Put the counting into a parsed template."""

    def visit(self, node: Any, *_: Any, **__: Any) -> Any:
        """Return the node, or what counts it."""
        constant = _constant_text(node) if isinstance(node, _REPEATED) else 0
        if isinstance(node, nodes.Concat) and _folds(node):
            return node
        self.generic_visit(node)
        if isinstance(node, _REPEATED):
            self._repeated(node, constant)
        elif isinstance(node, (nodes.List, nodes.Tuple, nodes.Dict)):
            stored = getattr(node, "ctx", "load") != "load"
            return node if stored or all(isinstance(item, nodes.Const) for item in node.items) else _filter(node, _MADE)
        elif isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Slice):
            return _filter(node, _MADE)
        elif isinstance(node, nodes.Concat):
            return _filter(nodes.List(node.nodes, lineno=node.lineno), _CONCAT)
        return node

    def _repeated(self, node: Any, constant: int) -> None:
        tick = _filter(nodes.Const(constant, lineno=node.lineno), _TICK)
        if isinstance(node, nodes.For) and node.test is not None:
            node.test = nodes.And(tick, node.test, lineno=node.lineno)
        node.body.insert(0, nodes.ExprStmt(tick, lineno=node.lineno))


_REPEATED = (nodes.For, nodes.Macro, nodes.CallBlock, nodes.Block)


def _constant_text(node: nodes.Node) -> int:
    """Characters that one pass through the node can write without any expression."""
    written = sum(len(data.data) for data in node.find_all(nodes.TemplateData))
    return written + sum(len(const.value) for const in node.find_all(nodes.Const) if isinstance(const.value, str))


def _folds(node: nodes.Expr) -> bool:
    """Whether Jinja computes the expression while compiling (then escaped text does not stay so)."""
    try:
        node.as_const()
    except BoundExceeded:
        raise
    except Exception:  # Impossible, or what the expression itself raises
        return False
    return True


def _filter(value: nodes.Expr, name: str) -> nodes.Filter:
    return nodes.Filter(value, name, [], [], None, None, lineno=value.lineno)


@lru_cache(maxsize=1)
def environment() -> BoundedEnvironment:
    """The one environment; immutable once made, so threads share it."""
    return BoundedEnvironment()


@lru_cache(maxsize=32)
def compiled(source: str, marks: Marks | None, limits: Limits) -> jinja2.Template:
    """Compile a template; with marks, its own text is marked (see `marks`). The last 32 are kept."""
    env = environment()
    # Jinja folds constant expressions while compiling: that is bounded as well.
    with using(Budget(limits)):
        tree = env.parse(source, filename=FILENAME)
        if marks is not None:
            mark_template(tree, marks)
        code = env.compile(_Counter().visit(tree), filename=FILENAME)
    return jinja2.Template.from_code(env, code, env.make_globals(None))
