"""Real TensorFlow kernels, killed and restarted under test.

The public names are those of `public`, which is loaded when one is used: the plugin is imported in
every pytest session, and an idle one should cost nothing. Nothing at all is imported here, since our commands begin
here and then decide where modules may come from.

PYTEST_DONT_REWRITE
"""

# As that of `typing`, which type checkers know by its name.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from pytest_tfkernel.public import *  # noqa: F403 - that is the list


def __getattr__(name: str) -> object:
    """Load a public name (PEP 562)."""
    if name == "__all__":
        return __dir__()
    # Modules of ours are asked for like names, before they are imported.
    if not name[:1].isupper():
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from pytest_tfkernel import public

    try:
        return vars(public)[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None


def __dir__() -> list[str]:
    from pytest_tfkernel import public

    return public.NAMES
