"""Where a model computes."""

import torch

from worker.errors import SettingsInvalid


def choose_device(asked: str) -> torch.device:
    """The device called `cpu`, `cuda` or `cuda:N`; for `auto` a CUDA device when there is one.

    Raises:
        SettingsInvalid: A CUDA device was asked for that is not there.
    """
    if asked == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    device = torch.device(asked)
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        message = (
            f"model.device is {asked!r}, but torch {torch.__version__} sees {torch.cuda.device_count()} CUDA devices. "
            "Set SLUICE_MODEL__DEVICE=cpu, or install torch with CUDA and check the driver (nvidia-smi)."
        )
        raise SettingsInvalid(message)
    return device
