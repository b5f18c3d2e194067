"""Writes msgspec structs as JSDoc types, so that `tsc --checkJs` holds the widget to the server's messages."""

from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import msgspec
from msgspec import inspect


@dataclass(frozen=True, slots=True)
class Property:
    """One line of a typedef; `name` stands in brackets where the server may leave the field out."""

    type: str
    name: str


@dataclass(frozen=True, slots=True)
class Typedef:
    """A struct, or a union of structs (then `same_as` holds it and there are no properties)."""

    name: str
    doc: str
    properties: tuple[Property, ...] = ()
    same_as: str = ""


def typedefs(messages: ModuleType) -> list[Typedef]:
    """All structs that the module defines and all unions of them, in the order of the source."""
    found = []
    for name, value in vars(messages).items():
        if isinstance(value, type) and issubclass(value, msgspec.Struct) and value.__module__ == messages.__name__:
            found.append(Typedef(name, " ".join((value.__doc__ or "").split()), tuple(_properties(value))))
        elif hasattr(value, "__args__") and not name.startswith("_"):
            found.append(Typedef(name, "", same_as=_type(inspect.type_info(value))))
    return found


def _properties(struct: type[msgspec.Struct]) -> Iterator[Property]:
    info = inspect.type_info(struct)
    assert isinstance(info, inspect.StructType)  # noqa: S101  what msgspec promises for a struct
    if info.tag_field is not None:
        yield Property(f'"{info.tag}"', info.tag_field)
    # without omit_defaults the server always sends the field, and only a request may leave it out
    omits = struct.__struct_config__.omit_defaults or struct.__struct_config__.forbid_unknown_fields
    for field in info.fields:
        name = field.encode_name
        yield Property(_type(field.type), f"[{name}]" if omits and not field.required else name)


SIMPLE: dict[type[inspect.Type], str] = {
    inspect.StrType: "string",
    inspect.IntType: "number",
    inspect.FloatType: "number",
    inspect.BoolType: "boolean",
    inspect.NoneType: "null",
    inspect.AnyType: "unknown",
}


def _type(info: Any) -> str:
    simple = SIMPLE.get(type(info))
    if simple is not None:
        return simple
    match info:
        case inspect.StructType(cls=cls) | inspect.EnumType(cls=cls):
            return str(cls.__name__)
        case inspect.UnionType(types=types):
            return " | ".join(_type(each) for each in types)
        case inspect.LiteralType(values=values):
            return " | ".join(f'"{value}"' for value in values)
        case inspect.DictType(key_type=key, value_type=value):
            return f"Record<{_type(key)}, {_type(value)}>"
        case inspect.VarTupleType(item_type=item) | inspect.ListType(item_type=item):
            return f"Array<{_type(item)}>"
    raise TypeError(f"no JSDoc type for {info}: say in widget/build/jsdoc.py how the browser sees it")
