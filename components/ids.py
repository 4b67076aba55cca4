"""Every component id, in one place."""

from typing import Any

URL = "url"
THEME = "theme"
THEME_BUTTON = "theme-button"

BODY = "atlas-body"
LAYER_NUMBERS = "layer-numbers"
TICK = "tick"
WAITING_TICK = "waiting-tick"
BANNER = "build-banner"
JOBS = "jobs"
JOB_SHOWN = "job-shown"
JOB_STOP = "job-stop"
LOOKED = "looked"
NOTICE = "notice"

CATALOGUE = "catalogue"
VIEW = "view"
PICTURE = "picture"
SELECTION = "selection"
SEARCH = "search"

TOOLBAR = "toolbar"
TOOLBAR_TOGGLE = "toolbar-toggle"
ATLAS_SELECT = "atlas-select"
STREAM_SELECT = "stream-select"
METHOD_SELECT = "method-select"
DIMS_SELECT = "dims-select"
COLOUR_SELECT = "colour-select"
COLOURING = "colouring"
COLOUR_VARIANT_FIELD = "colour-variant-field"
COLOUR_VARIANT = "colour-variant"
PALETTE = "palette"
SIZE_BY_VALUE = "size-by-value"
SIZE_BY_MAP = "size-by-map"
SIZE_LEGEND = "size-legend"
LEGEND = "legend"
SEARCH_BOX = "search-box"
SEARCH_MODE = "search-mode"
SEARCH_COUNT = "search-count"
SEARCH_CLEAR = "search-clear"
SEARCH_CASE = "search-case"
SEARCH_STEP = "search-step"
SEARCH_PREVIOUS = "search-previous"
SEARCH_NEXT = "search-next"
SEARCH_PLACE = "search-place"
SEARCH_DETAILS = "search-details"
SEARCH_INPUTS = "search-inputs"
SEARCH_HEADS = "search-heads"
SEARCH_RESULT = "search-result"
CONCENTRATION = "concentration"
COPY_LINK = "copy-link"

SCENE = "scene"
CRUMB = "crumb"
BACK = "back"
STATUS = "scene-status"
OUTSIDE = "outside"
OUTSIDE_SAYS = "outside-says"
OUTSIDE_SWITCH = "outside-switch"
DISPLAY_WHOLE = "display-whole"

PANEL = "panel"
PANEL_STATE = "panel-state"
PANEL_TAB = "panel-tab"
PANEL_CLOSE = "panel-close"
PANEL_OPEN = "panel-open"
SENTENCE = "sentence"
SENTENCE_MODE = "sentence-mode"
WORKSPACE = "workspace"

ATTENTION_OPTIONS = "attention-options"
READING_FACTS = "reading-facts"
SENTENCE_CHECKS = "sentence-checks"
SENTENCE_DIRECTION = "sentence-direction"
SENTENCE_EMPTY = "sentence-empty"
SENTENCE_FIRST = "sentence-first"
SENTENCE_OPTIONS = "sentence-options"
SENTENCE_RESET = "sentence-reset"
SENTENCE_THRESHOLD = "sentence-threshold"
SENTENCE_THRESHOLD_SAYS = "sentence-threshold-says"
SENTENCE_TOPK = "sentence-topk"
INPUT_PREVIOUS = "input-previous"
INPUT_NEXT = "input-next"
INPUT_SAYS = "input-says"
INPUT_SEARCH = "input-search"
INPUT_CHOICES = "input-choices"
INPUT_PICKER = "input-picker"
INPUT_PICKER_OPEN = "input-picker-open"
AVERAGE_BY = "average-by"
AVERAGE_CHECKS = "average-checks"
AVERAGE_NOTE = "average-note"
AVERAGE_PICTURE = "average-picture"
SHOW_SELECT = "show-select"


def input_choice(index: int) -> dict[str, str | int]:
    """Id of the button that shows an input."""
    return {"kind": "input-choice", "index": index}


# components/token_sets.py, token_table.py, export.py
TOKEN_SET = "token-set"
SET_COUNT = "set-count"
SET_CLEAR = "set-clear"
TOOL = "tool"
EXPORT = "export"
EXPORT_SCALE = "export-scale"
EXPORT_SET = "export-set"
EXPORT_STATUS = "export-status"
EXPORT_WHITE = "export-white"
TABLE = "token-table"
TABLE_BODY = "table-body"
TABLE_COUNT = "table-count"
TABLE_READY = "table-ready"
TABLE_SCOPE = "table-scope"
TABLE_SCRIPT = "table-script"
TABLE_SUMMARY = "table-summary"

# components/probe.py
PROBE = "probe"
PROBE_OPEN = "probe-open"
PROBE_BAR = "probe-bar"
PROBE_CLOSE = "probe-close"
PROBE_ADD = "probe-add"
PROBE_FACTS = "probe-facts"
PROBE_FOUND = "probe-found"
PROBE_ASKS = "probe-asks"
PROBE_TICK = "probe-tick"
PROBE_READY = "probe-ready"
PROBE_DIFFER = "probe-differ"
PROBE_HEADS = "probe-heads"


def probe_part(part: str, letter: str) -> str:
    """Id of a part of one probe's row: row, text, chip, says, drop."""
    return f"probe-{part}-{letter}"


# components/navigation.py
NAVIGATION = "navigation"
HEAD_LEFT = "head-left"
HEAD_RIGHT = "head-right"
HEAD_UP = "head-up"
HEAD_DOWN = "head-down"
JUMP_LAYER = "jump-layer"
JUMP_HEAD = "jump-head"
RECENTRE = "recentre"
HINT = "hint"
MINIMAP = "minimap"
DISPLAY = "display"
DISPLAY_LABELS = "display-labels"
GALLERY = "gallery"
IMAGE_ARROWS = "image-arrows"
IMAGE_COVER = "image-cover"
IMAGE_FLOW = "image-flow"
IMAGE_SHADE = "image-shade"
DISPLAY_PATCHES = "display-patches"
DISPLAY_SIZE = "display-size"

# components/help.py
HELP = "help"
HELP_BUTTON = "help-button"
HELP_TOUR = "help-tour"
TOUR = "tour"
GLOSSARY = "glossary"
FACTS = "facts"

# components/findings.py
FINDINGS = "findings"
FINDINGS_LIST = "findings-list"
FINDINGS_OPEN = "findings-open"

# components/heads_view.py
HEAD_FINDER = "head-finder"
HEADS_ATLAS = "heads-atlas"
HEADS_STREAM = "heads-stream"
HEADS_TICK = "heads-tick"

# The page "Compare".
HEAD_COMPARE = "head-compare"
COMPARE_TICK = "compare-tick"
COMPARE_FIRST = "compare-first"
COMPARE_SECOND = "compare-second"
COMPARE_ANSWER = "compare-answer"

# components/head_set.py
HEAD_SET = "head-set"
HEAD_SET_BAR = "head-set-bar"
HEAD_SET_FINDER = "head-set-finder"
HEAD_SET_CLEAR = "head-set-clear"

# components/badges.py and components/head_facts.py
BADGE_SELECT = "badge-select"
ORDER_SELECT = "order-select"
BADGE_NOTE = "badge-note"
DISPLAY_RINGS = "display-rings"
HEAD_FACTS = "head-facts"

# components/panels/kinds.py
KINDS = "kinds"
KINDS_OF = "kinds-of"
KINDS_BODY = "kinds-body"
KINDS_CELL = "kinds-cell"

# components/panels/why.py
PAIR = "pair"
WHY_QUERY = "why-query"
WHY_KEY = "why-key"
WHY_PICK = "why-pick"
WHY_BODY = "why-body"
WHY_SHOWN = "why-shown"
WHY_ASK = "why-ask"
WHY_ASKED = "why-asked"
WHY_MODEL = "why-model"
WHY_TICK = "why-tick"

# components/panels/off.py
OFF = "off"
OFF_HEADS = "off-heads"
OFF_KEY = "off-key"
OFF_ON = "off-on"
OFF_GO = "off-go"
OFF_BACK = "off-back"
OFF_SAYS = "off-says"
OFF_SAID = "off-said"
OFF_BODY = "off-body"
OFF_ASKED = "off-asked"
OFF_TICK = "off-tick"
OFF_BEFORE = "off-before"
OFF_AFTER = "off-after"

# components/scaling_view.py and scaling_callbacks.py, align_panel.py, scale_note.py
SCALING_STATE = "scaling-state"
SCALING_ATLAS = "scaling-atlas"
SCALING_STREAM = "scaling-stream"
SCALING_LAYER = "scaling-layer"
SCALING_HEAD = "scaling-head"
SCALING_METRIC = "scaling-metric"
SCALING_VALUES = "scaling-values"
SCALING_SHOW = "scaling-show"
SCALING_LINK = "scaling-link"
SCALING_TITLE = "scaling-title"
SCALING_IN_USE = "scaling-in-use"
SCALING_METHOD = "scaling-method"
SCALING_SCENE = "scaling-scene"
SCALING_CONSTANTS_NOTE = "scaling-constants-note"
SCALING_TICK = "scaling-tick"
SCALING_CURVES = "scaling-curves"
SCALING_CURVES_NOTE = "scaling-curves-note"
SCALING_DENSITY = "scaling-density"
SCALING_DENSITY_TABLE = "scaling-density-table"
SCALING_PAIRS = "scaling-pairs"
SCALING_DISTANCE = "scaling-distance"
SCALING_STUDY = "scaling-study"
SCALING_STUDY_NOTE = "scaling-study-note"
SCALING_STUDY_TICK = "scaling-study-tick"
SCALING_COLOUR = "scaling-colour"
SCALING_BAR = "scaling-bar"
TAB = "tab-nonce"


def scaling_map(metric: str) -> str:
    """The heatmap of one metric."""
    return f"scaling-map-{metric}"


ALIGN = "align"
ALIGN_OWN = "align-own"
ALIGN_REFINED = "align-refined"
ALIGN_ASKS = "align-asks"
ALIGN_TICK = "align-tick"
ALIGN_C = "align-c"
ALIGN_SLIDER = "align-slider"
ALIGN_OPTIMA = "align-optima"
ALIGN_SWITCHES = "align-switches"
ALIGN_SPACE = "align-space"
ALIGN_SPACE_NOTE = "align-space-note"
ALIGN_RESET = "align-reset"
ALIGN_NOTE = "align-note"
ALIGN_TABLE = "align-table"
ALIGN_LINK = "align-link"
SCALE_SELECT = "scale-select"
SCALE_NOTE = "scale-note"
SCALE_TICK = "scale-tick"
SCALE_BUILD = "scale-build"
SCALE_STOP = "scale-stop"

# components/new_atlas.py, components/orders.py
NEW_MODEL = "new-model"
NEW_CORPUS = "new-corpus"
NEW_PASTE = "new-paste"
NEW_TEXT = "new-text"
NEW_UPLOADING = "new-uploading"
NEW_CHOOSE = "new-choose"
NEW_UPLOAD = "new-upload"
NEW_UPLOAD_SAYS = "new-upload-says"
NEW_COLUMN_FIELD = "new-column-field"
NEW_COLUMN = "new-column"
NEW_ROWS = "new-rows"
NEW_INPUTS = "new-inputs"
NEW_SEED = "new-seed"
NEW_MAPS = "new-maps"
NEW_DIMS = "new-dims"
NEW_TITLE = "new-title"
NEW_CHECK = "new-check"
NEW_START = "new-start"
NEW_SAYS = "new-says"
ORDERS = "orders"


def order_deed(deed: str, slug: Any) -> dict[str, Any]:
    """Id of a button that does something to an order; slug: ALL for all of them."""
    return {"kind": "order", "deed": deed, "slug": slug}


# components/shelf.py
SHELF = "shelf"
SHELF_SAYS = "shelf-says"
SHELF_OPEN = "shelf-open"


def shelf_deed(deed: str, slug: Any) -> dict[str, Any]:
    """Id of a control of one atlas of the library; slug: ALL for all of them."""
    return {"kind": "shelf", "deed": deed, "slug": slug}


def kinds_pair(query: Any, key: Any) -> dict[str, Any]:
    """Id of a cell from one kind to another, by their numbers; ALL for all of them."""
    return {"kind": "kinds-pair", "query": query, "key": key}
