"""The errors a user can cause, each with a message that says what is wrong and what to do."""


class AtlasError(Exception):
    """Base of all errors whose message is meant for the user: one line, no traceback needed."""


class CorpusError(AtlasError):
    """The corpus file or its content cannot be used."""


class ModelError(AtlasError):
    """The model cannot be found, loaded safely or captured."""


class CaptureError(ModelError):
    """What the model gives cannot be stored as asked: the same build would end the same way."""


class AtlasFormatError(AtlasError):
    """A folder is not an atlas this version can read."""


class OutdatedAtlasError(AtlasFormatError):
    """An atlas of a schema version that is no longer read: it has to be built again."""


class NotStoredError(AtlasError):
    """The atlas was built without what is asked for."""


class SearchError(AtlasError):
    """A search cannot be understood."""


class ProbeError(AtlasError):
    """A probe cannot be run: it is too long, or the atlas's model is not at hand."""


class BuildError(AtlasError):
    """A build cannot start or go on: disk, settings, another build."""


class BusyError(BuildError):
    """Another build is at work in the folder."""


class UploadError(AtlasError):
    """What somebody brought to a page cannot be taken: too large, unsafe, damaged, or nothing that is known."""


class ExportError(AtlasError):
    """What is to be taken away is not there, or is too large."""


class JobError(AtlasError):
    """A job cannot be started, followed or stopped: unknown kind, wrong arguments, a disk that is full or read-only."""


class Cancelled(AtlasError):  # noqa: N818 - not a fault: the user asked for it
    """The user stopped the work; what was finished is kept."""
