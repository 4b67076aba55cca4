"""HeadScene: every head of a stream as small multiples in one WebGL2 picture that zooms into one head.

Plain JavaScript served file by file, in order, with no build step. What the browser reads is described in
`docs/payload.md`; the files hang their functions on one object, `window.atlas_head_scene`.
"""

from typing import Any

from dash.development.base_component import Component, _explicitize_args

# Its scripts work out the weights that lines show, and their colours: with the scene they are always served.
from components import client, sentence_view  # noqa: F401
from components.registered import register

__version__ = "0.1.0"

# Later files use earlier ones.
SCRIPTS = (
    "grid.js",
    "folds.js",
    "arrange.js",
    "headings.js",
    "camera.js",
    "viewpoint.js",
    "payload.js",
    "labels.js",
    "edge.js",
    "pick.js",
    "colours.js",
    "motion.js",
    "shaders.js",
    "gpu.js",
    "framebuffers.js",
    "draw_cells.js",
    "draw_points.js",
    "draw.js",
    "positions.js",
    "sets.js",
    "jobs.js",
    "average.js",
    "points.js",
    "point_colours.js",
    "highlights.js",
    "brush.js",
    "density.js",
    "crowd_names.js",
    "crowd.js",
    "attention.js",
    "token_pages.js",
    "sheet.js",
    "in_view.js",
    "thumbnails.js",
    "probes.js",
    "data.js",
    "stands.js",
    "view.js",
    "places.js",
    "textures.js",
    "point_motion.js",
    "frame.js",
    "average_paint.js",
    "axes.js",
    "probe_paint.js",
    "crowd_paint.js",
    "paint.js",
    "overlay.js",
    "overlay_state.js",
    "loop.js",
    "progress.js",
    "rings.js",
    "heading_hits.js",
    "folder.js",
    "gestures.js",
    "lasso.js",
    "token_set.js",
    "theme.js",
    "tooltips.js",
    "hover.js",
    "pointer.js",
    "keyboard.js",
    "fallback.js",
    "vector.js",
    "capture.js",
    "picture.js",
    "copies.js",
    "controls.js",
    "heads.js",
    "viewpoint_prop.js",
    "stats.js",
    "scene_hooks.js",
    "follow.js",
    "scene.js",
    "handle.js",
    "component.js",
)

_js_dist = [{"relative_package_path": name, "namespace": __name__} for name in SCRIPTS]
_css_dist = [{"relative_package_path": "head_scene.css", "namespace": __name__}]


class HeadScene(Component):
    """Every head's queries and keys as one zoomable matrix.

    Heads lie where cells are largest: a layer a row, a layer a column, or layers as blocks (``arrange.js``). Cells are
    never under 44 px: then one scrolls.

    Keyword arguments:

    - id (string): the component's id.
    - className (string): further CSS classes of the root element.
    - style (dict): inline style of the root element; give it a height.
    - payload (dict | None): what to read: ``{base: "/payload/<atlas>/<key>", stream, layers, heads,
      queries, keys, chunk, queryTable, keyTable, pageSize, group?, naming?, thumbnail?}``, ``group`` being how many
      heads share a key head, ``naming`` the attributes that groups of points are named by, and ``thumbnail`` the texels
      of a side of the thumbnails that very many heads are first seen as.
      ``None`` draws nothing.
    - projection (dict): ``{name, key, method, follows, dims: 2 | 3, label, size?}``. Another projection of the same
      dimensions moves the points there; camera, head, selection and search stay.
    - colour (dict): ``{name, scope: "token" | "head", palette: ["#rrggbb", …], label?, values?, ranges?, path?}``;
      ``values`` names the palette's entries in the tooltip; ``ranges`` are the two ends of each head's own scale,
      head after head; ``path`` below ``payload.base`` is where indices of no attribute are read.
    - head (dict | None): the open head ``{layer, head}``, or ``None`` for the matrix. Also set by the user.
    - selection (dict | None): the chosen token ``{input, token, side: "query" | "key"}``, ``token`` being a
      row of that side's token table. Its input is highlighted in every head. Also set by the user.
    - search (dict | None): ``{query, mode, case?}``: lights the matching tokens in every head.
    - tokenSet (dict | None): a set of points, ``{definition}`` as in ``sets.js``; only these are lit, in every
      head, and search hits among them get a thin ring. Also set by the user (lasso, box, Shift-click).
    - setCount (dict): out: ``{definition, points, tokens}`` of the present set.
    - tool (string): "point", "box" or "lasso": what a drag in an open head does. Shift-drag draws a lasso always, but
      with "none": there are no sets then.
    - searchCount (dict): out: ``{query, tokens, points}`` of the last search.
    - lines (dict | None): ``{threshold, topk, hidden: {queries, keys}, hideSpecial, hideFirst, hideWithin,
      hideAcross, byValueNorm}``:
      in an open head, draw the strongest attention of the selected input from each query to its keys; weights
      are those of SentenceView with the same choices. topk 0: all.
    - average (bool): in place of the points, each head's mean attention by position as a small heatmap.
    - sized (bool): in an open head, points grow with the attribute that ``payload.size`` names, such as the norm:
      from 0.375 to 1.625 times the usual diameter from its lowest to its highest value.
    - mapSizes (bool): the same with the attribute that ``projection.size`` names, if it does and ``sized`` is off.
    - pointSize (number): diameter in px of a point of a head that fills the view; by default chosen from
      the number of points.
    - labels (bool): token texts in an open head. On by default.
    - theme (string): "light" or "dark": default colours. Custom properties on the element override them:
      ``--atlas-canvas``, ``--atlas-cell``, ``--atlas-text``, ``--atlas-muted``, ``--atlas-line``,
      ``--atlas-ring``, ``--atlas-faded``, ``--atlas-query-text``, ``--atlas-key-text``.
    - sprite (string): URL of the PNG of the matrix, for browsers without WebGL2.
    - cellNotes (dict): ``{"L-H": "text"}``: a short note in the corner of a cell.
    - cellTitles (list of str): titles of the cells in row-major order, where they are not heads of a model; such cells
      lie row by row.
    - markedCells (list of int): cells with a frame.
    - live (dict | None): show one head in other positions than the projection's: ``{layer, head, dims, method,
      path, move}``. ``path`` below ``payload.base`` answers uint16 [points][dims] in slot order; it counts only while
      a projection of ``method`` and ``dims`` is shown; ``move`` lets the points move there.
    - badges (dict): ``{"L-H": {text, grade, title}}``: a short value in the corner of a cell, a bar as long as
      ``grade`` (0 to 1, ``None`` for not defined), and a sentence for the tooltip.
    - order (list | None): heads in the order in which their cells are shown, each as ``layer * heads + head``; anything
      but a permutation of all heads, or ``None``, keeps layers together.
    - folded (dict | None): layers that are folded away into thin strips, ``{layers: "0-3_7"}``, as the model counts
      them; heads in an order of their own are all there all the same. Also set by the user: a click on a layer's number
      folds it, with Shift all others, a click on a strip brings its layers back.
    - groups (bool): in an open head in 2D, points that lie together are named by what most of them have in common and
      others have not: a token, positions, a value of an attribute of ``payload.naming``. The nearer, the finer.
    - shade (bool): there, darker (lighter in dark) where points are dense; it yields to whatever is lit.
    - outline (bool): there, the smallest area that holds nine tenths of the hits of a search.
    - ghost (bool): in an open head, where its tokens were in the head that was open before, faint.
    - rings (bool): in an open head, ring the keys that the token under the pointer (or the selected one) attends to
      most, or for a key the queries that attend to it most, in its input.
    - patches (string): how points are drawn that ``payload.patches`` has pictures of: "border", "bare", "fill" (under a
      tint of the point's colour) or "off" (as points, the default). Only as many are drawn as find room.
    - whole (bool): the frame of each head holds every point. By default points far from all others stand at its edge,
      each as half a dot, so that they do not squeeze the rest.
    - outside (dict): out: ``{points, heads, open}``: how many points stand at an edge, in how many heads; ``open``: of
      the open head alone.
    - viewpoint (dict | None): where one looks from, ``{head, at}``: the head (``None``: the matrix) and "x_y_zoom" or
      "x_y_zoom_yaw_pitch": cells right and down of the middle, times as near, radians. ``None``: all of it. Also set by
      the user.
    - probes (dict | None): a reader's own inputs: ``{map, list: [{id, letter}], read, token, side}``: drawn while the
      map ``"<name>-<key>"`` is shown, into which they were placed; ``read``: whose attention the lines are, as its
      place in the list or -1, with its pinned token within the probe, or ``None``, and that token's side.
    - brush (list | None): values that stand out, while others are greyed: ``[{name, scope: "token" | "head", values:
      [number, …], range: [low, high], sides?}]``, values or ends of a range being palette indices of the attribute;
      ``sides``: 0 is queries, 1 keys.
    - pointed (dict | None): a token ``{side, row}`` that is pointed at beside this picture: marked as if here.
    - probePicked (dict): out: ``{number, token, side, n}``: a token of a probe was clicked.
    - status (dict): out: ``{webgl, loaded: 0..1, firstMs, fullMs, points, message}``.
    """

    _children_props: list[str] = []  # noqa: RUF012
    _base_nodes = ["children"]  # noqa: RUF012
    _namespace = "atlas_head_scene"
    _type = "HeadScene"

    @_explicitize_args
    def __init__(
        self,
        id: Any = Component.UNDEFINED,
        className: Any = Component.UNDEFINED,
        style: Any = Component.UNDEFINED,
        payload: Any = Component.UNDEFINED,
        projection: Any = Component.UNDEFINED,
        colour: Any = Component.UNDEFINED,
        head: Any = Component.UNDEFINED,
        selection: Any = Component.UNDEFINED,
        search: Any = Component.UNDEFINED,
        searchCount: Any = Component.UNDEFINED,
        lines: Any = Component.UNDEFINED,
        average: Any = Component.UNDEFINED,
        sized: Any = Component.UNDEFINED,
        mapSizes: Any = Component.UNDEFINED,
        pointSize: Any = Component.UNDEFINED,
        labels: Any = Component.UNDEFINED,
        theme: Any = Component.UNDEFINED,
        sprite: Any = Component.UNDEFINED,
        cellNotes: Any = Component.UNDEFINED,
        cellTitles: Any = Component.UNDEFINED,
        markedCells: Any = Component.UNDEFINED,
        live: Any = Component.UNDEFINED,
        badges: Any = Component.UNDEFINED,
        order: Any = Component.UNDEFINED,
        rings: Any = Component.UNDEFINED,
        folded: Any = Component.UNDEFINED,
        groups: Any = Component.UNDEFINED,
        shade: Any = Component.UNDEFINED,
        outline: Any = Component.UNDEFINED,
        ghost: Any = Component.UNDEFINED,
        patches: Any = Component.UNDEFINED,
        whole: Any = Component.UNDEFINED,
        outside: Any = Component.UNDEFINED,
        tokenSet: Any = Component.UNDEFINED,
        setCount: Any = Component.UNDEFINED,
        tool: Any = Component.UNDEFINED,
        status: Any = Component.UNDEFINED,
        viewpoint: Any = Component.UNDEFINED,
        probes: Any = Component.UNDEFINED,
        brush: Any = Component.UNDEFINED,
        pointed: Any = Component.UNDEFINED,
        probePicked: Any = Component.UNDEFINED,
        **kwargs: Any,
    ) -> None:
        self._prop_names = [
            "id",
            "className",
            "style",
            "payload",
            "projection",
            "colour",
            "head",
            "selection",
            "search",
            "searchCount",
            "lines",
            "average",
            "sized",
            "mapSizes",
            "pointSize",
            "labels",
            "theme",
            "sprite",
            "cellNotes",
            "cellTitles",
            "markedCells",
            "live",
            "badges",
            "order",
            "rings",
            "folded",
            "groups",
            "shade",
            "outline",
            "ghost",
            "patches",
            "whole",
            "outside",
            "tokenSet",
            "setCount",
            "tool",
            "status",
            "viewpoint",
            "probes",
            "brush",
            "pointed",
            "probePicked",
        ]
        self._valid_wildcard_attributes: list[str] = []
        self.available_properties = self._prop_names
        self.available_wildcard_properties: list[str] = []
        given = kwargs.pop("_explicit_args")
        named = {**locals(), **kwargs}
        super().__init__(**{name: named[name] for name in given})


register(__name__, "atlas_head_scene")
