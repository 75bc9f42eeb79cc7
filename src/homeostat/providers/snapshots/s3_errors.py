"""What a store that speaks S3 says when something is wrong, in our own terms.

By its code where it is one that all stores use, else by HTTP's status. What a server said word for word is not passed
on: some repeat what they were sent.
"""

from __future__ import annotations

from botocore.exceptions import (
    ClientError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
    PartialCredentialsError,
    TokenRetrievalError,
)

from homeostat.operators.cluster.backup.errors import (
    StoreError,
    StoreFull,
    StoreRefused,
    StoreUnreachable,
    StoreWrong,
)

_SETTINGS = (NoRegionError, ParamValidationError, ValueError)
_CREDENTIALS = (NoCredentialsError, PartialCredentialsError, TokenRetrievalError)
_FULL = {
    *("QuotaExceeded", "StorageQuotaExceeded", "InsufficientStorage", "EntityTooLarge"),
    *("XMinioStorageFull", "XMinioAdminBucketQuotaExceeded", "ServiceQuotaExceededException"),
}
_REFUSED = {
    *("AccessDenied", "AccountProblem", "AllAccessDisabled", "ExpiredToken", "InvalidAccessKeyId", "InvalidToken"),
    *("SignatureDoesNotMatch", "RequestTimeTooSkewed", "TokenRefreshRequired", "NotSignedUp", "InvalidObjectState"),
}
_WRONG = {
    *("NoSuchBucket", "InvalidBucketName", "PermanentRedirect", "AuthorizationHeaderMalformed", "NotImplemented"),
    *("IllegalLocationConstraintException", "MethodNotAllowed"),
}
_MISSING = {"NoSuchKey", "NoSuchUpload", "404"}
_TAKEN = {"PreconditionFailed", "ConditionalRequestConflict", "412"}


def is_missing(error: Exception) -> bool:
    """Whether a single thing is not there, while the bucket is."""
    return _code(error) in _MISSING


def is_taken(error: Exception) -> bool:
    """Whether something was there already, so that nothing was written."""
    return _code(error) in _TAKEN


def told(error: Exception, doing: str, where: str) -> StoreError:
    """What to raise in its place."""
    found = _found(error)
    if isinstance(error, _CREDENTIALS):
        remedy = "put AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY into the environment, or mount a credentials file"
        return StoreRefused(doing, where, "there are no credentials", remedy)
    code, status = _code(error), _status(error)
    if code in _FULL or status == 507:
        return StoreFull(doing, where, found)
    if code in _REFUSED:
        return StoreRefused(doing, where, found)
    if code in _WRONG or isinstance(error, _SETTINGS):
        return StoreWrong(doing, where, found)
    if status in (401, 403):
        return StoreRefused(doing, where, found)
    if status in (301, 307, 400, 404, 405, 501):
        return StoreWrong(doing, where, found)
    return StoreUnreachable(doing, where, found)


def _found(error: Exception) -> str:
    if isinstance(error, ClientError):
        status = _status(error)
        return f"{_code(error) or 'an error'}" + (f" (HTTP {status})" if status else "")
    return type(error).__name__


def _code(error: Exception) -> str:
    if not isinstance(error, ClientError):
        return ""
    code = str(error.response.get("Error", {}).get("Code", ""))
    return code if code.replace(".", "").isalnum() and len(code) <= 60 else ""


def _status(error: Exception) -> int:
    if not isinstance(error, ClientError):
        return 0
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
