"""The exceptions that a person may see. Each message is one sentence: what came, what is allowed, what to
do.
"""


class WorkbenchError(Exception):
    """Base of everything raised on purpose; its text is meant for the user, so no traceback is shown for
    it.
    """

    exit_code = 2


class WorkbenchWarning(UserWarning):
    """What a user should know although the work goes on; one sentence."""


class InputError(WorkbenchError):
    """A corpus, a sample, a column or an argument is not what it has to be."""


class RecipeError(WorkbenchError):
    """A recipe names something unknown, lacks something or holds a value out of range."""


class ManifestError(WorkbenchError):
    """A manifest folder is incomplete, changed, of a newer format, or doesn't fit the corpus or the
    models.
    """


class ModelError(WorkbenchError):
    """A model is missing, isn't in a safe format, or its files differ from the digest that was asked for."""


class StoreError(WorkbenchError):
    """A column of the store is incomplete or differs from its digests."""


class VerificationError(WorkbenchError):
    """What `apply` wrote doesn't hold against the manifest."""

    exit_code = 4


class Cancelled(WorkbenchError):
    """The user stopped a run; finished parts stay and the next run goes on from them."""

    exit_code = 130
