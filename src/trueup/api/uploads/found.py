"""A sent file, found and shown: what every operation on uploads does."""

from functools import partial
from typing import Annotated

from fastapi import Path

from trueup.access.keys import Caller, KeyScope
from trueup.api.http.jobs import Look
from trueup.api.http.problems import Problem, ProblemKind, not_found
from trueup.api.resources.wording import in_words
from trueup.api.uploads.answers import UploadDetails, trouble_of, upload_details
from trueup.dialects.choices import UnreadableFile
from trueup.ledger.batches import read_batch
from trueup.ledger.database import Readable
from trueup.ledger.uploads import find_upload
from trueup.live.context import ServerContext
from trueup.live.upload_jobs import jobs_of, sent_folder
from trueup.model.batches import BatchRecord
from trueup.model.upload import UploadChoices, UploadRecord
from trueup.uploads.mappings import with_mapping

UploadId = Annotated[str, Path(pattern="^u[0-9a-f]{28}$", description="The upload's id.")]


def known_upload(database: Readable, upload_id: str) -> UploadRecord:
    """Find a sent file.

    Args:
        database: The ledger.
        upload_id: The file.

    Returns:
        The file's record.

    Raises:
        Problem: There is no such file.
    """
    record = find_upload(database, upload_id)
    if record is None:
        raise not_found(f"upload {upload_id}")
    return record


def batch_of(database: Readable, record: UploadRecord) -> BatchRecord | None:
    """The batch that a file became, None for none yet."""
    return read_batch(database, record.batch_id) if record.batch_id is not None else None


def fitting(choices: UploadChoices, caller: Caller) -> UploadChoices:
    """Let choices pass that go together, and that the caller may make.

    Args:
        choices: The choices for a file.
        caller: Who makes them.

    Returns:
        The same choices.

    Raises:
        Problem: They do not go together, or the caller's key may not do what they ask for.
    """
    trouble = trouble_of(choices)
    if trouble:
        raise Problem(ProblemKind.INVALID, trouble)
    if choices.create_missing and KeyScope.SETUP not in caller.scopes:
        raise Problem(ProblemKind.WRONG_SCOPE, f"create_missing needs a key with the scope {KeyScope.SETUP}")
    return choices


def mapped(database: Readable, choices: UploadChoices) -> UploadChoices:
    """Put what a saved mapping says into the choices that name it.

    Args:
        database: The ledger.
        choices: The choices for a file.

    Returns:
        The choices; the same where they name no mapping.

    Raises:
        Problem: No mapping has this name.
    """
    if choices.mapping is None:
        return choices
    try:
        return UploadChoices(**with_mapping(database, choices.kind, choices.mapping, vars(choices)))
    except UnreadableFile as error:
        raise Problem(ProblemKind.INVALID, in_words(error.remark)) from None


async def details_of(look: Look, context: ServerContext, upload_id: str) -> UploadDetails:
    """Find out all that is known of a sent file.

    Args:
        look: Reads in a thread.
        context: What all requests of the process share.
        upload_id: The file.

    Returns:
        What the API shows of it.

    Raises:
        Problem: There is no such file.
    """

    def details(database: Readable) -> UploadDetails:
        record = known_upload(database, upload_id)
        return upload_details(database, record, sent_folder(context), jobs_of(context), context.catalog)

    return await look(details)


async def wrong_state(look: Look, upload_id: str) -> Problem:
    """The problem that a file is not in a state for what was asked."""
    record = await look(partial(known_upload, upload_id=upload_id))
    return Problem(ProblemKind.WRONG_STATE, f"the upload is {record.state}")
