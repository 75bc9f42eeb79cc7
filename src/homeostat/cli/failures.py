"""From an exception to what a person reads, and to an exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from homeostat.cli.exits import CliError, Exit

if TYPE_CHECKING:
    from homeostat.kube import errors as kube_errors


def report(error: Exception) -> Exit:
    """Print an error on stderr: what and where on one line, what to do on the next. Returns the exit code."""
    told = explained(error)
    click.echo(f"error: {told}", err=True)
    if told.remedy:
        click.echo(f"  {told.remedy}", err=True)
    return told.code


def explained(error: Exception) -> CliError:
    """The error in the command line's own terms."""
    if isinstance(error, CliError):
        return error
    from homeostat.kube import errors as kube  # by now a client was used, or the price does not matter
    from homeostat.kube.target import ConfigError, NoKubeconfig

    if isinstance(error, kube.ApiError):
        return _refusal(error)
    if isinstance(error, kube.BadCredentials):
        return CliError(str(error), Exit.NOT_PERMITTED, remedy="check the user of the kubeconfig's context")
    if isinstance(error, kube.ConnectionFailed):
        return CliError(
            str(error), Exit.UNREACHABLE, remedy="is the API server up? `homeostat status` tells of a local data centre"
        )
    if isinstance(error, TimeoutError):
        return CliError(str(error) or "timed out", Exit.TIMEOUT)
    if isinstance(error, NoKubeconfig):
        remedy = "name one with --kubeconfig or $KUBECONFIG, or raise a data centre on this machine with `homeostat up`"
        return CliError(str(error), Exit.UNREACHABLE, remedy=remedy)
    if isinstance(error, ConfigError):
        return CliError(str(error), Exit.UNREACHABLE, remedy="name a kubeconfig with --kubeconfig or $KUBECONFIG")
    if isinstance(error, OSError) and error.filename:
        return CliError(f"{error.filename}: {error.strerror}", Exit.USAGE)
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return CliError(
        f"unexpected: {' '.join(what.split())}",
        remedy="this is a bug of homeostat; run again with --debug and report it",
    )


def _refusal(error: kube_errors.ApiError) -> CliError:
    from homeostat.kube import errors as kube

    if isinstance(error, kube.NotFound):
        remedy = ""
        if "could not find the requested resource" in error.message:
            remedy = "the API server does not know this kind: is homeostat installed there? (deploy/crds)"
        return CliError(error.message or str(error), Exit.NOT_FOUND, remedy=remedy)
    if isinstance(error, kube.Conflict) and any(cause.reason == "FieldManagerConflict" for cause in error.causes):
        return CliError(
            _with_causes(error), Exit.REFUSED, remedy="take the fields over with --force-conflicts, or leave them out"
        )
    if isinstance(error, kube.Conflict | kube.AlreadyExists | kube.Invalid | kube.BadRequest | kube.TooLarge):
        return CliError(_with_causes(error), Exit.REFUSED)
    if isinstance(error, kube.InternalError) and error.message.startswith("failed to create typed patch object"):
        # Server-side apply answers 500 to wrong types and doubled keys of a list; yet it is the user's mistake.
        return CliError(f"{error.doing}: {error.message.partition(': ')[2]}", Exit.REFUSED)
    if isinstance(error, kube.Unauthorized | kube.Forbidden):
        return CliError(str(error), Exit.NOT_PERMITTED, remedy="check the kubeconfig's user, or ask for the permission")
    if isinstance(error, kube.TooManyRequests | kube.ServiceUnavailable | kube.ServerTimeout):
        return CliError(str(error), Exit.UNREACHABLE, remedy="the API server is overloaded or starting; try again")
    return CliError(str(error))


def _with_causes(error: kube_errors.ApiError) -> str:
    """Several causes each get a line that begins with the field."""
    if len(error.causes) < 2:
        return str(error)
    lines = [f"  {cause.field}: {cause.message}" for cause in error.causes]
    what = f"{error.doing}: refused ({error.status} {error.reason})"
    return "\n".join([what, *lines])
