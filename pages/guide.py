"""How to read the maps, and how to build an atlas of one's own model and data."""

import dash
from dash import dcc, html

from components.help_texts import how_far_to_believe

dash.register_page(__name__, path="/guide", title="Guide · Attention Atlas", name="Guide")

_TEXT = """
# How to read the atlas

Every attention head compares **queries** with **keys**: a token's query says what it looks for, another token's key
what it offers. Their dot product, after a softmax, is the attention weight.

The map of a head shows the queries (discs) and keys (triangles) of all tokens of the corpus together, aligned so that
a query can lie **near the keys it attends to**. Alignment multiplies queries and divides keys by one number and
moves all keys by one vector; the head's attention stays exactly the same.

## From all heads to one sentence

1. The start page is the matrix of all heads: one row a layer, one column a head. Spirals, stripes and clumps are
   different ways to attend.
2. Click a head, or move to it with the arrow keys and press Enter. Hover a point to see its token.
3. Click a point to see the attention of its sentence: queries left, keys right, stronger lines for more attention.
4. Search a token to see it light up in all heads at once. Few clumps: the head sorts by meaning. Scattered: it cares
   for something else, such as position. The number on each head says how many times smaller a circle around a hit
   that holds a quarter of the hits is than for random tokens; heads can be sorted by it.
5. In a head, the arrow keys, the four buttons and the small map lead to its neighbours; colour, search and the chosen
   token stay. Escape or “All heads” leads back. The address always holds the present view: copy it to share it.
6. *Findings* lists views worth seeing in this atlas, each with the number behind it. `?` lists the keys and shows the
   tour again; the small *i* beside a control explains it.

## Find heads

The page [Heads](heads) shows every head as a point: near each other where they **attend alike** on the same inputs,
or by any two measures. Colours and shapes are families of heads that attend alike, named by what their members share,
if they share anything that is measured. Write what you look for: `previous > 0.5 and layer < 6`. Names are those of
the menus, or their beginning; a share can be written as `50 %` or `0.5`; `and`, `or`, `not` and parentheses combine.
Or draw around heads with the mouse. *See these in the matrix* shows them alone; the chip above the map leaves them.
*Heads like this one*, in the tab Head of an open head, sorts all others by how differently they attend, also those of
another atlas that holds the same inputs.

**Do noun queries attend to pronoun keys?** Open a head, and in its tab Head *From kind to kind*: the row *noun*, the
column *pronoun*; the link holds the table and the cell. In the demo of MiniLM hardly:
[L0H2](./?layer=0&head=2&tab=head&kinds=pos&cell=noun%3Epronoun) gives pronouns 1.5 times what even attention would (it
looks back one token, whatever it is),
[L5H8](./?layer=5&head=8&tab=head&kinds=pos&cell=noun%3Epronoun) 1.1 times, the others less. In SmolLM2-135M-Instruct
on the same sentences L28H6 gives them 1.9 times, L24H6 1.7. A cell lists the heads in which it is strongest, and its 30
strongest pairs light up in all heads.

**What is inside a head?** Below it, *Parts of this head*, an experiment: directions of queries and keys that tell a
query's own kind from others, such as nouns from function words, beside what chance gives; *Show* lights up the tokens
that have most of one. On the page Heads, *Weights alike* places heads by their weights instead of their attention.

## Compare two heads

The page [Compare](compare) shows two heads beside each other: of one atlas, or of two that hold the same texts, such as
a model before and after training. Point at a token, choose or search one, or zoom: the other pane follows. The second
map is turned, mirrored, scaled and shifted onto the first, and the line above says how much then still differs. Below
are the tokens that **moved** most and the queries that **attend most differently**, each a way to its sentence with
both rows of attention; *Colour by: Difference* shows where on the maps they lie. *All heads* shows how much each head
changed, and which head of the other model attends most like it; click one to see both. Where the library holds
checkpoints of one training run, a slider steps through them.

## Why a head attends as it does

The tab **Why** of an open head explains one query and one key: from q·k to the share of attention step by step, what
the score is made of, how strong it is in the corpus, and, with *Ask the model itself*, what only the model knows.
*Switch off* below it runs the model without some heads, or without a token as key, and shows what changes. A tour for
models that write:

1. [Find heads](heads?q=induction_repeated+%3E+0.3&order=-induction_repeated) that look for what followed a token the
   last time (induction heads): the column *Induction, repeats* on the page Heads.
2. *See these in the matrix*, and click the first.
3. Choose a token that came before in its input; the tab **Why** says what makes it look where it looks.
4. *Switch off* there, in *Random tokens, said twice*: without the head the model foretells the second round worse,
   and random heads of the same layers beside it say how much is more than chance. The heads it fed are listed below.
5. The address holds all of it, and *Export* writes the tab as a table.

In SmolLM2-135M-Instruct L18H6, L17H3 and L17H4 do most of this: without them the loss of the second round goes from
2.8 to 7.0 nats; without three random heads of the same layers to 3.5 on average.

## A text of your own

*Your text* (the pencil, in an open head) has the atlas's model read what you type, where the model is on this machine.
Its tokens appear in every head, ringed, and its attention in the sentence view; change a word and see them move. Behind
the text stands how exactly tokens can be placed in this map: in PCA exactly, elsewhere by their nearest neighbours.
*Compare with another* puts a second text beside the first, and *Heads that differ* ranks the heads by how differently
they attend on the two. Nothing of it is added to the atlas.

## Ways to search

- **Whole token**, **whole word** (put together from its pieces), **start** or **part of a token**. Commas separate
  several terms, any of which may match: `bank, river`. Quotes keep a comma: `","`.
- **Regular expression**, in RE2's form: `^(un|in).*ed$`. Look-around and back-references are not possible; in turn
  no expression can take long.
- **Part of speech**: `NOUN`, `proper noun`, `VERB, AUX`. A tagger guesses them from the text; a few are wrong.
- Enter leads to the next hit, Shift+Enter to the one before. “Where” lists the inputs and ranks the heads.

## Images

In an atlas of images the tokens are **patches**. Points are drawn as the patches themselves; the row of small pictures
lights one image in every head. Click a patch: beside the map stands its image, with what the patch reads or who reads
it laid over it, and below the same patch in all heads of the layer and in this head of all layers. *Light those like
it* finds patches near it by their vector or by colour; draw a rectangle on the image with Shift to follow a region
through all heads. Colours by row and column, hue, brightness, spatial frequency or object show what a head sorts by;
badges and findings give it as a number, beside the number that the pixels alone would give.

## How far to believe a picture

A flat map of many dimensions bends distances, each method in its own way:

{methods}

## Reading a crowd

In an open head groups of points carry names: what most of them have and most others have not, such as “the · 92 %”,
*positions 3–7*, *adposition · 84 %* or, of patches, *orange · 87 %*. A name is no cause: it says what lies together.
Zoom in and the groups get smaller. A shade marks the denser half; a search draws a line about nine tenths of its hits.
The **legend is a brush**: click a value, *queries* or *keys*, or drag over a scale, and all else is greyed, in every
head and in the link. Brush the first positions, then colour by part of speech: what is left of a ring? *Ghost of the
last head* (Display) shows where the same tokens were a moment ago.

**Layers fold.** Click a layer's number beside the matrix, and its row becomes a thin strip; Shift-click folds all
others; a click on the strip brings its layers back. Orders by a measure or a search still have all heads.

## Two maps made of attention

A query's scores have two parts: what every query gives a key, and what this query gives it beyond that.

- On the **preference map** near means *attended more than other queries do*. It shows what sets queries apart: rings
  and spirals where a head goes by position, clumps where it goes by words. What all queries share, the popularity of
  a key, is the size of its dot in an open head. A small dot beside a query: it is this query that wants that key.
- On the **attention map** near means *attended*. A full stop or a special token that takes what all queries have left
  over lies in their midst; keys that nobody attends to lie at the rim. It shows where the attention goes, not
  why, and heads look more alike on it.

{maps}

Both together hold all scores: preference + popularity + a constant of the query is q·k. UMAP, t-SNE and PCA are made of
the vectors alone: near means alike.

Open the sentence view to check what a picture suggests: it shows the model's own attention weights, not the map's.

## Which scale

Distances on a map depend on how queries and keys were scaled against each other. The page **Scaling** shows the best
scale of every head by four metrics and what other scales do to a head. In an open head the tab **Align**
lets you change the scale and see the points move, with the numbers that say how well near means attended.

## Build your own atlas

The page [New atlas](new) takes a model of this machine and a corpus: text pasted one input a line, or a file (text,
CSV, JSONL, Parquet, images, or a zip of images). Before anything is built it says what it found (“BERT, 6 × 12 heads,
encoder; 812 inputs, about 14,000 tokens”), and about how long the build takes and how much disk and memory; where a
table has several columns it shows the first rows and asks which one holds the inputs. *Build* starts it beside the
dashboard: each stage and layer is told and logged, it can be stopped and goes on later, also after the server was
started anew, and the atlas can be explored from its first map on. *Discard* removes what was made and what was uploaded
for it.

The page [Library](library) holds all atlases: name and notes, download as one file to send, *Open an atlas that was
sent*, and delete, which can be undone for a day.

In a terminal:

    python app.py build --model gpt2 --corpus my-sentences.txt
    python app.py build --model dinov2 --corpus my-photographs

`--model` takes a Hugging Face id, a local folder, or `minilm` (text) and `dinov2` (images), which come with the
installation. `--corpus` takes a text file with one input a line, or CSV, JSON, JSONL and Parquet with `--column`; of
images a folder, a zip, or a table with paths or bytes. The build can be stopped at any time;
the same command goes on. `python app.py build --help` explains every option.

## Words

- **Input**: one sentence, document or image of the corpus.
- **Token**: a piece of text or a patch of an image that attends; special tokens such as `[CLS]` are added to
  it.
- **Head**: one unit of attention, written L3 H9: layer 3, head 9, both counted from 0.
- **Projection**: the method that lays out a head's queries and keys in two or three dimensions.

The [glossary](glossary) explains all others.
"""


_MAPS = (
    (
        "preference",
        "The preference map of one head (L2 H8 of MiniLM): a ring, because it goes by position, from the first at the "
        "lower right clockwise; queries (blue) lie among the keys (orange) that they prefer.",
    ),
    (
        "attention",
        "The attention map of the same head: queries gather about the keys that take most of all attention; at the rim "
        "lie keys that hardly any query attends to.",
    ),
)


def _pictures() -> html.Div:
    """Both maps of one head, as tools/screenshots.py took them; of each the one of the theme is shown."""
    return html.Div(
        [
            html.Figure(
                [
                    *(
                        html.Img(
                            src=dash.get_asset_url(f"guide/{name}-{theme}.png"),
                            alt=caption,
                            width=598,
                            height=535,
                            className=f"in-{theme}",
                        )
                        for theme in ("light", "dark")
                    ),
                    html.Figcaption(caption),
                ]
            )
            for name, caption in _MAPS
        ],
        className="guide-maps",
    )


def layout(**_query: str) -> html.Div:
    before, after = _TEXT.replace("{methods}", how_far_to_believe()).split("{maps}")
    return html.Div(
        html.Div([dcc.Markdown(before), _pictures(), dcc.Markdown(after)], className="guide-text"),
        className="guide",
        tabIndex=0,
    )
