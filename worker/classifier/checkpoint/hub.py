"""Download a model from the Hugging Face hub into the local cache.

Only the files the classifier reads are downloaded: repositories often hold the same weights in four more formats.
`HF_HUB_OFFLINE`, `HF_HOME` and `HF_TOKEN` have their usual meaning.
"""

from collections.abc import Sequence
from pathlib import Path

import huggingface_hub
from huggingface_hub import constants
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils.tqdm import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

from worker.errors import ModelFault
from worker.settings import ModelSettings


def fetch(
    settings: ModelSettings, small: Sequence[str], safetensors: Sequence[str], pickles: Sequence[str]
) -> tuple[Path, str]:
    """The folder in the cache that holds the model's files, and their commit.

    A revision that is already cached is used when the hub cannot be reached.

    Raises:
        ModelFault: The hub does not have the model, denies access to it, or cannot be reached while the cache lacks it.
    """
    name, revision = settings.id, settings.revision
    asked = f"model {name!r}" + ("" if revision is None else f" at revision {revision!r}")
    weights = [*safetensors, *(pickles if settings.allow_pickle else ())]
    quiet_before = are_progress_bars_disabled()
    disable_progress_bars()
    try:
        folder = huggingface_hub.snapshot_download(
            name,
            revision=revision,
            allow_patterns=[*small, *weights],
            ignore_patterns=["*/*"],
            local_files_only=constants.is_offline_mode(),
        )
    except HFValidationError as error:
        message = (
            f"{asked} is not an embedded model, not a folder, and not a valid name on the hub. Check SLUICE_MODEL__ID."
        )
        raise ModelFault(message) from error
    except GatedRepoError as error:
        message = f"{asked} is gated: accept its terms on the hub, and set HF_TOKEN to a token that may read it."
        raise ModelFault(message) from error
    except RevisionNotFoundError as error:
        message = f"{asked}: the hub has the model but not that revision. Check SLUICE_MODEL__REVISION."
        raise ModelFault(message) from error
    except RepositoryNotFoundError as error:
        message = f"{asked} is not on the hub, or is private: check SLUICE_MODEL__ID, or set HF_TOKEN."
        raise ModelFault(message) from error
    except (LocalEntryNotFoundError, OfflineModeIsEnabled, HfHubHTTPError, OSError) as error:
        why = (
            "HF_HUB_OFFLINE is set"
            if constants.is_offline_mode()
            else f"the hub did not answer ({type(error).__name__})"
        )
        message = (
            f"{asked} is not embedded, not a folder ({Path(name).absolute()}), not in the cache "
            f"({constants.HF_HUB_CACHE}), and {why}. Download it where there is a network (hf download {name}) and "
            "copy the cache or the folder here, or name a folder with SLUICE_MODEL__ID."
        )
        raise ModelFault(message) from error
    finally:
        if not quiet_before:
            enable_progress_bars()
    return Path(folder), Path(folder).name
