"""What the "i" beside a control says, the keys, and the steps of the tour: plain words, one line each.

`HELP` maps the id of a control to (title, text, entry of the glossary or None). An entry is all that a new control
needs: `components.help.with_help` finds the control in the page and puts the button beside its label.
"""

from components import ids
from services.attributes.registry import listed
from services.projection import START, methods

_VARIANTS = " ".join(f"{one.label}: {one.choices[0].lower()}{one.choices[1:]}." for one in listed() if one.choices)
_LATER = " and ".join(m.label for m in methods() if m.follows_alignment and m is not START)

HELP: dict[str, tuple[str, str, str | None]] = {
    ids.ATLAS_SELECT: ("Atlas", "One model's attention on one corpus, with all its maps.", "atlas"),
    ids.STREAM_SELECT: (
        "Attention",
        "A model can attend in several ways: within the input, within the output, or from one to the other.",
        "stream",
    ),
    ids.HEAD_FINDER: (
        "Heads",
        "Every head as a point: near each other where they attend alike, or by two measures. Click one to open it, "
        "draw around some, or write what they have: previous > 0.5 and layer < 6. A share can be 50 % or 0.5.",
        "head",
    ),
    ids.HEAD_COMPARE: (
        "Compare",
        "Two heads, of one atlas or of two. What you point at, choose, search or zoom in one is shown in the other, "
        "for tokens that both share. The second map is turned, mirrored, scaled and shifted onto the first.",
        "head",
    ),
    ids.METHOD_SELECT: (
        "Projection",
        f"How vectors of many dimensions become a flat map. {'; '.join(method.made for method in methods())}.",
        "projection",
    ),
    ids.DIMS_SELECT: (
        "Space",
        "A flat map, or one that can be turned by dragging. In the matrix, hold Shift to turn all heads at once.",
        "projection",
    ),
    ids.COLOUR_SELECT: (
        "Colour by",
        "What the colour of a point tells of its token. Queries and keys keep different colours and shapes. Rainbows "
        f"along a spiral, for example, show a head that cares for position. {_VARIANTS}",
        None,
    ),
    ids.PALETTE: (
        "Palette",
        "The first palette can be told apart by people with any kind of colour blindness. “Original” has the colours "
        "of AttentionViz (Yeh et al. 2023).",
        None,
    ),
    ids.BADGE_SELECT: (
        "Badge",
        "A number in each head's corner, and a bar as long as it is good: how far its map can be believed, what the "
        "map shows, or where the head's attention goes. Keys near: of the 10 keys that a query should have near it on "
        "this map, how many are among the 100 nearest. Point at a head to see what even attention would give. The Head "
        "tab of an open head explains them all.",
        None,
    ),
    ids.ORDER_SELECT: (
        "Order heads by",
        "By layer and head, as the model has them, or by one of the measures: the best head first, or the highest "
        "where none is better. Titles keep saying which head is which.",
        None,
    ),
    ids.DISPLAY_RINGS: (
        "Rings",
        "Point at a query: the five keys of its input that it attends to most are ringed, wherever the map has put "
        "them. For a key: the queries that attend to it most.",
        "attention",
    ),
    ids.DISPLAY_GROUPS: (
        "Names of groups",
        "Points that lie together are named by what most of them have and most others have not: a token, positions, a "
        "part of speech, a colour of patches, with the share that has it. Zoom in for smaller groups. Where nothing is "
        "common there is no name. In 2D.",
        None,
    ),
    ids.DISPLAY_SHADE: (
        "Shade",
        "A shade over the denser half of the points in view, strongest where they are densest. It yields to what is "
        "lit. In 2D.",
        None,
    ),
    ids.DISPLAY_OUTLINE: (
        "Outline of hits",
        "The line about the smallest area that holds nine tenths of the hits of a search, smoothed. In 2D.",
        None,
    ),
    ids.DISPLAY_GHOST: (
        "Ghost of the last head",
        "Where the tokens of this head were in the head that you looked at before, faint; of a few lit tokens, lines "
        "lead from there. Two heads share no space: only what lies together or apart can be compared, not how far "
        "a point has moved.",
        None,
    ),
    ids.POSITIONS: (
        "Brush",
        "Drag over a scale, or move its ends with the arrow keys, to let a stretch stand out; click values of a legend "
        "to let only them stand out, “queries” or “keys” for one side. Other points are greyed, never gone. What "
        "stands out stays when you colour by something else.",
        None,
    ),
    ids.SEARCH_BOX: (
        "Find tokens",
        "The tokens that match light up in every head, the others fade. Commas separate several terms, Enter steps "
        "through the hits. “Where” lists the inputs, and the heads by how closely they keep the hits together.",
        "token",
    ),
    ids.JUMP_HEAD: (
        "Go to a head",
        "Choose a layer and a head, both counted from 0. With a head open, the arrow keys lead to its neighbours.",
        "head",
    ),
    ids.DISPLAY_LABELS: (
        "Labels",
        "Token texts beside the points of an open head: only as many as fit; zoom in to see more.",
        None,
    ),
    ids.PANEL_TAB: (
        "Beside the map",
        "Each tab looks at the same head, input and tokens from another side.",
        None,
    ),
    ids.SENTENCE_MODE: (
        "Lines or heatmap",
        "The same attention weights of one input: a line from each query to the keys it reads, stronger for more, or a "
        "grid with queries as rows and keys as columns. Of the chosen token: what it reads as a query, or which "
        "queries read it as a key; all shows the whole input.",
        "attention",
    ),
    ids.DISPLAY_PATCHES: (
        "Patches",
        "The points as the patches themselves, in a border of the colour of query or key, bare, or tinted by what "
        "points are coloured by; or as plain points. Where they would cover each other, a fair sample is drawn: zoom "
        "in for more.",
        "patch",
    ),
    ids.IMAGE_ARROWS: (
        "Arrows while no patch is chosen",
        "From each patch to the one it attends to most, or all pairs above the threshold. A ring is a patch that "
        "attends to itself; boxes are class token and registers.",
        "register",
    ),
    ids.IMAGE_SHADE: (
        "Shades",
        "How a weight becomes a shade. Square root shows small weights too; linear to 99 % lets the largest hundredth, "
        "often one artefact patch, not darken the rest. The scale under the image says what the full shade stands for.",
        "attention",
    ),
    ids.IMAGE_FLOW: (
        "This head or rollout",
        "The weights of this head alone, or attention rolled out over all heads and layers up to this one.",
        "rollout",
    ),
    ids.SHOW_SELECT: (
        "Show",
        "Points: the queries and keys of each head. Average: in their place, each head's mean attention by position, "
        "rows asking and columns answering. A diagonal is a head that looks at neighbours, a column one that looks at "
        "a certain place.",
        "attention",
    ),
    ids.AVERAGE_BY: (
        "How attention is averaged",
        "By position: from the n-th token to the m-th, over all inputs that have both. Relative to the query: how far "
        "before or after itself a query reads.",
        "attention",
    ),
    ids.SENTENCE_CHECKS: (
        "Hide and weight",
        "Without special tokens the remaining weights are scaled up to sum to 1 again. Weighting by value norm counts "
        "how much a key has to give: much attention to a small value moves little.",
        "value",
    ),
    ids.SCENE: (
        "What do I see?",
        "Each small map is one attention head: a row is a layer, a column is a head; or the other way round, or in "
        "blocks, where that makes the maps larger: the numbers tell. Discs are queries, triangles are keys of the same "
        "tokens. Spirals, stripes and clumps are different ways to attend. Where there are more heads than find room, "
        "the wheel scrolls, and zooms with Ctrl.",
        "head",
    ),
    ids.TOOL: (
        "Point, box, lasso",
        "What dragging does in an open head: move the picture, or draw around points to make a set. Shift and drag "
        "draws a lasso at any time; Shift- or Ctrl-click adds single points. A set lights up in every head and in "
        "every tab; search hits among it get a ring.",
        "token",
    ),
    ids.ALIGN_SLIDER: (
        "Scale c",
        "Left: keys spread out and queries shrink; right: the other way round. Attention stays the same; the numbers "
        "below say how well near means attended. The buttons set the best c by each metric.",
        "scale-c",
    ),
    ids.ALIGN_SPACE: (
        "Distance",
        "Euclidean measures straight lines, cosine only directions. The exact lift adds one coordinate with which the "
        "nearest key of every query is the most attended one, before the map flattens it.",
        "alignment",
    ),
    ids.SCALE_SELECT: (
        "Scale the atlas by",
        f"Which metric chooses the c of every head. {START.label} follows at once; {_LATER} are made in the background "
        "and swapped in. The page Scaling compares the metrics.",
        "scale-c",
    ),
    ids.TABLE_SCOPE: (
        "Which tokens",
        "The table lists all tokens, those that a search has found, or those of the set that is lit on the map. One "
        "row is one point: a token as a query, or the same token as a key. A click chooses the token in all views; "
        "Ctrl- or Shift-click chooses several, which make a set.",
        "token",
    ),
    ids.WHY_QUERY: (
        "Why this pair",
        "From q·k to the share of attention step by step, and the sums that q·k is: every list adds up to the score. "
        "Click a line or a cell of the sentence (or press w on it) to choose a pair.",
        "attention",
    ),
    ids.FACTS: (
        "What the maps rest on",
        "The model, the number of its heads and of the tokens. The capture is checked: attention computed again from "
        "the stored queries and keys is compared with the model's own.",
        "capture",
    ),
}

KEYS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("←", "→", "↑", "↓"), "All heads: move the frame. Open head: the neighbouring head"),
    (("Enter",), "Open the framed head"),
    (("Esc",), "Close a menu, then clear the selection, then leave the head"),
    (("+", "−"), "Zoom in and out, also with the wheel (where it scrolls, with Ctrl) or two fingers"),
    (("Page Up", "Page Down"), "All heads, where there are more than find room: scroll; Home and End: first and last"),
    (("f",), "All heads: fold the layer of the framed head away, with Shift all others; u brings all back"),
    (("0",), "Re-centre the view"),
    (("/",), "Search"),
    (("g",), "Go to a layer and head"),
    (("?",), "This list"),
    (("v", "b", "l"), "Point, box or lasso in an open head; Shift and drag is always a lasso"),
    (("s",), "Sentence: put the token under the cursor into the set, or take it out"),
    (("w",), "Sentence: why the query under the cursor attends to its key"),
    (("h",), "Sentence: hide the token under the cursor"),
    (("Tab",), "To the next control; in the sentence, arrow keys move among tokens"),
)

# (CSS selector of what the step points at, title, text); selectors are tried in order until one is on screen.
TOUR: tuple[tuple[str, str, str], ...] = (
    (
        "#scene",
        "Every head at a glance",
        "Each small map is one attention head of the model; numbers say of which layer. Discs are queries "
        "(what a token looks for), triangles are keys (what it offers).",
    ),
    (
        "#jump-layer",
        "Open a head",
        "Click a map, zoom into it with the wheel, or choose its layer and head here. In a head, click a token to "
        "see whom it attends to in its sentence.",
    ),
    (
        "#method-select, #toolbar-toggle",
        f"{len(methods())} ways to lay it out",
        "On the preference map, near means attended more than other queries do; on the attention map, near means "
        "attended. The others show which vectors are alike. Colour by position, for example, shows which heads follow "
        "the order of the words.",
    ),
    (
        "#search-box",
        "Find a word everywhere",
        "A word lights up in all heads at once. Press / to come here from anywhere.",
    ),
    (
        "#findings > summary, #help-button",
        "Start with a finding",
        "Views worth seeing, measured on this model. Help (?) lists the keys, explains the words and shows this tour "
        "again.",
    ),
)


def how_far_to_believe() -> str:
    """A line of the guide for each projection method."""
    return "\n".join(f"- **{method.label}** {method.trust}" for method in methods())
