"""In which form an answer is wanted: as it is, as a Table, or as metadata alone. Read from `Accept`."""

from __future__ import annotations

from typing import Literal, cast

from msgspec import Struct

from homeostat.sim.apiserver.refusing import Refused, not_imitated

Kind = Literal["", "Table", "PartialObjectMetadata", "PartialObjectMetadataList"]
_KINDS = ("Table", "PartialObjectMetadata", "PartialObjectMetadataList")
_GROUP, _VERSIONS = "meta.k8s.io", ("v1", "v1beta1")
_JSON = ("application/json", "application/*", "*/*")
_PROTOBUF = "application/vnd.kubernetes.protobuf"
_ACCEPTED = ("application/json", "application/yaml", _PROTOBUF)
_STREAMED = ("application/json;stream=watch", f"{_PROTOBUF};stream=watch")


class Form(Struct, frozen=True):
    """A kind of `meta.k8s.io` in one of its versions, or nothing."""

    kind: Kind = ""
    version: str = "v1"

    @property
    def api_version(self) -> str:
        """As objects write it."""
        return f"{_GROUP}/{self.version}"


AS_IT_IS = Form()


def wanted(accept: str, *, of_list: bool = False) -> Form:
    """The first form of a header that is known here. Raises Refused."""
    if not accept or accept == "application/json":  # nearly always
        return AS_IT_IS
    for clause in accept.split(","):
        media, *words = (each.strip() for each in clause.split(";"))
        said = dict(word.split("=", 1) for word in words if "=" in word)
        if media in _JSON and (form := _form(said)) is not None:
            return form
    if any(each in accept.partition(";as=")[0] for each in _ACCEPTED[1:]):
        raise not_imitated("answers that are not JSON")
    if any(each.partition(";")[0].strip() in _JSON for each in accept.split(",")):
        raise no_other_form()
    known = _ACCEPTED + _STREAMED if of_list else _ACCEPTED  # a list may be asked for as a watch
    raise not_acceptable(f"406: Not Acceptable\n\nAvailable representations: {', '.join(known)}")


def not_acceptable(why: str) -> Refused:
    """Nothing that the client takes can be given."""
    return Refused(406, "NotAcceptable", why)


def no_other_form() -> Refused:
    """What is there has one form alone."""
    return not_acceptable(f"only the following media types are accepted: {', '.join(_ACCEPTED)}")


def _form(said: dict[str, str]) -> Form | None:
    if "as" not in said:
        return AS_IT_IS
    if said["as"] in _KINDS and said.get("g") == _GROUP and said.get("v") in _VERSIONS:
        return Form(cast("Kind", said["as"]), said["v"])
    return None
