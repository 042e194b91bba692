"""The documents of the golden reports: one per kind of run, with the values that break careless renderers."""

from collections.abc import Callable

from report_documents import BASE, assistant, change, document, failure, ignored, make_since, problem, removed

from reconciler.report.report import ExpiryEntry, RecordEntry, Report

GREETING = (
    "Hi, I'm your enrollment assistant. I can answer questions about deadlines, documents and fees, and I can put"
    " you through to a person at any time. How can I help today?"
)
NEW_GREETING = (
    "Hi, I'm your enrollment assistant. I can answer questions about deadlines, documents and tuition, and I can put"
    " you through to a person at any time. What can I do for you?"
)
PROMPT = "\n".join(f"{n}. Rule number {n}: stay friendly, whatever the caller says." for n in range(1, 201))
NEW_PROMPT = PROMPT.replace("Rule number 100: stay friendly", "Rule number 100: stay calm and friendly")
COMMANDS = "::error::x\n::stop-commands::y\n##[set-output name=has_errors]false\n50% off, 3:1"
HOSTILE = "\x1b[31mred\x07 \u202egnp.exe | `x` ``` <script>alert(1)</script> @team #123 \u200b\r\n![i](http://e.vil/i)"


ADA = make_since("9f8e7d6c5b4a39281706f5e4d3c2b1a098765432", "Ada Lovelace", "2026-11-20T09:30:00+01:00")
RECORD = RecordEntry(
    ref=BASE.ref,
    commit=BASE.commit,
    applied="9f8e7d6c5b4a39281706f5e4d3c2b1a098765432",
    date="2025-12-30T08:00:00+00:00",
    age_seconds=144_001,
)
BOB = make_since("0a1b2c3d4e5f60718293a4b5c6d7e8f901234567", "Bob", "2026-11-21T08:00:00Z")


def messages(prompt: str) -> list[dict[str, str]]:
    return [{"role": "system", "content": prompt}, {"role": "user", "content": "Hello!"}]


def _plan() -> Report:
    return document(
        "plan",
        assistant(
            "admissions/enrollment",
            change("/model/temperature", 0.6, 0.7),
            change("/firstMessage", NEW_GREETING, GREETING),
            change("/voicemailMessage", "We'll call you back.", None),
            change("/endCallMessage", None, "Bye!"),
            change("/endCallPhrases", ["goodbye", "that is all", "thanks"], ["goodbye", "thanks"]),
            released=["/maxDurationSeconds"],
            ignored=[ignored("/metadata/lastCampaign", "set by the CRM", "2027-01-31")],
        ),
        assistant("admissions/visits"),
        assistant("finance/aid", change("/model/messages", messages(NEW_PROMPT), messages(PROMPT))),
        assistant(
            "it/after-hours",
            error=failure(
                "not_found",
                "the API knows no assistant asst_after_hours; check the id in the definition, or remove the file",
                404,
            ),
        ),
    )


def _plan_with_base() -> Report:
    return document(
        "plan",
        assistant(
            "admissions/enrollment",
            change("/model/temperature", 0.6, 0.9, kind="conflict", base=0.5, since=BOB),
            change("/firstMessage", NEW_GREETING, GREETING + " Ask me!", kind="conflict", base=GREETING, since=ADA),
            change("/voice/voiceId", "alloy", "nova", kind="drift", base="alloy"),
            change("/model/maxTokens", 500, 250, base=250, since=ADA),
        ),
        assistant("admissions/visits", change("/maxDurationSeconds", 1800, 900, kind="drift", base=1800)),
        assistant("finance/aid", change("/transcriber/model", None, "nova-2", base="nova-2", since=ADA)),
        base=BASE,
        gone=[removed("assistants/old/fair.yaml", "asst_fair")],
        options={"on_drift": "keep", "force_conflicts": False},
        duration_seconds=1.25,
        record=RECORD,
        next_expiry=ExpiryEntry(expires="2026-01-31", in_seconds=2_678_399),
    )


def _apply() -> Report:
    warm = change("/model/temperature", 0.6, 0.7)
    refused = "live changed since the plan was shown; plan again"
    return document(
        "apply",
        assistant("a-applied", warm, outcome="applied", warnings=["metadata.visits changed while we wrote"]),
        assistant("b-unchanged", outcome="unchanged"),
        assistant(
            "c-failed",
            outcome="failed",
            error=failure("forbidden", 'the API said no: "editors only"; ask for the role EDITOR', 403),
        ),
        assistant("d-refused", warm, status="pending", outcome="refused", error=failure("stale", refused)),
        assistant(
            "e-indeterminate",
            warm,
            status="pending",
            outcome="indeterminate",
            error=failure("server", "the API answered 500 four times; run apply again", 500),
        ),
        assistant(
            "f-not-converged",
            warm,
            change("/voice/voiceId", "alloy", "nova"),
            outcome="not_converged",
            remaining=["/voice/voiceId"],
        ),
        assistant("g-skipped", outcome="skipped"),
    )


def _drift() -> Report:
    return document(
        "drift",
        assistant(
            "admissions/enrollment",
            change("/name", "Enrollment", "Enrolment", kind="drift", base="Enrollment", unsent="read_only"),
        ),
        assistant("admissions/visits"),
        assistant("finance/aid"),
    )


def _validate() -> Report:
    return document(
        "validate",
        assistant("good", name=None),
        assistant("fine", name=None),
        assistant("bad", name=None, id_=None, error=failure("invalid", "2 problems")),
        assistant("worse", name=None, id_=None, error=failure("invalid", "empty file")),
        problems=[
            problem("assistants/bad.yaml", 3, 1, "unknown key 'modle', did you mean 'model'?"),
            problem("assistants/bad.yaml", 9, 16, "2.5 is too high, write a number from 0.0 to 2.0"),
            problem("assistants/good.yaml", 2, 15, "ends in white space", warning=True),
            problem("assistants/worse.yaml", 1, 1, "the file is empty"),
        ],
    )


def _errors() -> Report:
    kinds = {
        "not_found": 404,
        "auth": 401,
        "forbidden": 403,
        "rate_limited": 429,
        "server": 500,
        "network": None,
        "timeout": None,
        "protocol": 200,
        "conflict": None,
        "stale": None,
        "duplicate": None,
        "invalid": 422,
    }
    entries = [assistant(kind, error=failure(kind, "", status)) for kind, status in kinds.items()]
    long = (
        'the answer is not JSON but a web page (it begins with "<!doctype html>");\n'
        "is /api missing at the end of the URL?"
    )
    return document("plan", *entries, assistant("a-page", error=failure("protocol", long, 200)), base=BASE)


def _hostile() -> Report:
    return document(
        "plan",
        assistant(
            "weird/" + "very-long-folder-name-" * 5 + "\x1b]0;x\x07|`name`",
            change(
                "/firstMessage", HOSTILE, "a | b", since=make_since("abc", "@team <img> [x](http://e.vil)\x1b[2J", "|`")
            ),
            change("/endCallMessage", "line one \nline\ttwo\nthree\n", "line one\nline two\nthree"),
            change("/metadata/a.b~1c", {"````": "````", "</details>": ["<b>", None, True, 1e300]}, {}),
            change("/metadata/crmKey", "(sensitive)", "(sensitive)"),
            change(
                "/metadata/nested", {"key": "(sensitive)", "note": "x" * 70}, {"key": "(sensitive)", "note": "x" * 70}
            ),
            change("/metadata/emoji", "\U0001f469\u200d\U0001f4bb \u4f60\u597d", "\ud800 a\u00a0b"),
            change("/metadata/steps", COMMANDS, "::add-mask::a"),
            name="@everyone <img src=x onerror=alert(1)> **bold** [link](http://e.vil) #1\nnew | line \U0001f600",
            id_="asst_`1`|2",
            warnings=[COMMANDS, "see https://e.vil and www.e.vil, @admin, GH-12\x1b[2J"],
            ignored=[ignored("/metadata/x|y", "<b>why</b> | not", None)],
        ),
        warnings=["`settings` | <i>are</i> odd"],
        gone=[removed("assistants/`x`|@team.yaml", "<b>\x1b[31m")],
    )


def _fleet() -> Report:
    """A week: a prompt, one voice for five, two drifts, one of them deleted live, a conflict, lints, notes."""
    voice = change(
        "/voice/voiceId", "verse", "alloy", base="alloy", line=3, file="assistants/_defaults.yaml", since=ADA
    )
    rule = change(
        "/model/messages", messages(NEW_PROMPT), messages(PROMPT + " Be brief."), kind="conflict", base=messages(PROMPT)
    )
    ending = "voicemailMessage ends in a line break [trailing-newline]"
    return document(
        "plan",
        *(assistant(f"desks/desk-{number}", voice) for number in range(1, 5)),
        assistant("desks/front", voice, change("/model/temperature", 0.6, 0.7, base=0.7)),
        assistant("aid", change("/model/messages", messages(NEW_PROMPT), messages(PROMPT), base=messages(PROMPT))),
        assistant("bursar", rule),
        assistant("closed", change("/voicemailMessage", "We are closed.", None, kind="drift", base="We are closed.")),
        assistant("dean", change("/firstMessage", GREETING, NEW_GREETING, kind="drift", base=GREETING)),
        assistant("quiet", released=["/endCallMessage"], ignored=[ignored("/metadata/x", "set by the CRM")]),
        assistant("still", ignored=[ignored("/metadata/x", "set by the CRM")]),
        *(assistant(f"gate-{number}", error=failure("auth", "wrong password", 401)) for number in range(1, 5)),
        problems=[
            problem(f"assistants/desks/desk-{number}.yaml", 9, 19, ending, warning=True) for number in range(1, 5)
        ]
        + [problem("assistants/still.yaml", 9, 19, ending, warning=True)],
        warnings=["the record is from another clone"],
        base=BASE,
        options={"on_drift": "keep"},
    )


def _rollback() -> Report:
    theirs = change("/name", "old", "theirs", kind="conflict", base="new")
    return document(
        "rollback",
        assistant("back", change("/voice/voiceId", "alloy", "verse", base="verse"), outcome="applied"),
        assistant("not", theirs, outcome="refused", error=failure("conflict", "live has changed since")),
    )


def _in_sync() -> Report:
    return document("plan", assistant("one"), assistant("two"), base=BASE)


def _empty() -> Report:
    return document("plan", base=BASE)


def _validate_good() -> Report:
    return document("validate", assistant("one"), assistant("two"))


DOCUMENTS: dict[str, Callable[[], Report]] = {
    "plan": _plan,
    "plan_with_base": _plan_with_base,
    "plan_fleet": _fleet,
    "plan_hostile": _hostile,
    "plan_errors": _errors,
    "plan_in_sync": _in_sync,
    "plan_empty": _empty,
    "apply": _apply,
    "drift": _drift,
    "rollback": _rollback,
    "validate": _validate,
    "validate_good": _validate_good,
}
