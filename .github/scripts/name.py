"""Makes one name of a definitions' folder and an environment: `assistants`, `agents+voice@staging`.

Wants DIRECTORY and ENVIRONMENT (may be empty). The name may be part of an artifact's name and of a branch's. `/`
becomes `+`, and every other byte that could stand for something else there becomes `=` and its number, so that no
two folders or environments share an artifact, a branch, a comment or an issue.
"""

import os
import string
from pathlib import Path

PLAIN = (string.ascii_letters + string.digits + "-_").encode()


def encode_name(text: str) -> str:
    """Return a text as part of a name."""
    signs = (chr(byte) if byte in PLAIN else "+" if byte == ord("/") else f"={byte:02X}" for byte in text.encode())
    return "".join(signs)


def main() -> None:
    """Set the output `name`."""
    name = "@".join(encode_name(part) for part in (os.environ["DIRECTORY"], os.environ["ENVIRONMENT"]) if part)
    with Path(os.environ["GITHUB_OUTPUT"]).open("a", encoding="utf-8") as outputs:
        outputs.write(f"name={name}\n")


if __name__ == "__main__":
    main()
