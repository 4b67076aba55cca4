"""The words of the field as this dashboard uses them: anchor → (term, explanation). In reading order."""

from services.projection import methods

GLOSSARY: dict[str, tuple[str, str]] = {
    "token": (
        "Token",
        "A piece of text that attends: a word, a part of a word, a mark; of an image, a patch. Each token appears "
        "twice on a map, once as a query and once as a key.",
    ),
    "patch": (
        "Patch",
        "A square of an image: the token of a vision transformer, which cuts each image into rows and columns of them.",
    ),
    "register": (
        "Class token, register",
        "Tokens of a vision transformer that stand for no place of the image. The class token gathers what is said of "
        "the whole; registers are there to be written on. They are drawn as boxes outside the image.",
    ),
    "special": (
        "Special token",
        "A token that the tokenizer adds, such as [CLS], [SEP] or <s>. It stands for no word; many heads use it as a "
        "place to look at when there is nothing else to look for.",
    ),
    "concentration": (
        "Concentration of a search or set",
        "How closely a head keeps the hits of a search, or the points of a set, together: how many times smaller a "
        "circle around one that holds a quarter of them is than for random tokens. ×1 is scattered, more is clustered.",
    ),
    "input": (
        "Input",
        "One sentence, document or image of the corpus. Tokens attend only to tokens of their own input.",
    ),
    "probe": (
        "Probe",
        "A text of your own that the model reads live. Its tokens are placed into the present maps, ringed, and belong "
        "to no corpus: exactly in PCA, elsewhere by their nearest neighbours, with the error that this has.",
    ),
    "corpus": ("Corpus", "The list of inputs that the model has read for this atlas."),
    "atlas": ("Atlas", "Everything built from one model and one corpus: vectors, attention, maps and numbers."),
    "capture": (
        "Capture",
        "Reading out queries, keys and attention while the model runs. Each build computes attention again from what "
        "it stored and compares it with the model's own; the largest difference is shown under the map.",
    ),
    "query": ("Query", "A vector that says what a token looks for. One for each token and head."),
    "key": ("Key", "A vector that says what a token offers. A query compares itself with the keys of its input."),
    "value": (
        "Value, value norm",
        "The vector that a token hands over when it is attended to; its norm is its length. Attention times value norm "
        "says how much really moves.",
    ),
    "dot-product": (
        "Dot product, q·k",
        "The number that compares a query with a key: large when both point the same way and are long.",
    ),
    "softmax": (
        "Softmax",
        "Turns the scaled dot products of one query into weights that are positive and sum to 1. Adding the same "
        "number to all of them changes nothing.",
    ),
    "attention": (
        "Attention, attention weight",
        "The share of a query's interest that goes to a key: softmax of q·k. The weights of one query sum to 1.",
    ),
    "causal": (
        "Causal, decoder and encoder",
        "In a decoder a token sees only itself and earlier tokens (causal attention); in an encoder it sees all.",
    ),
    "head": (
        "Head",
        "One unit of attention with queries, keys and values of its own. Written L3 H9: layer 3, head 9, both from 0.",
    ),
    "layer": ("Layer", "One step of the model; all heads of a layer read the same representation of the tokens."),
    "head-dim": (
        "Head dimension, head_dim",
        "The number of entries of a query or key: what a map must lose.",
    ),
    "stream": (
        "Stream",
        "One kind of attention in a model: self (within a text), or encoder, decoder and cross (from output to input).",
    ),
    "alignment": (
        "Alignment",
        "Moving all keys by one vector and scaling queries by c and keys by 1/c, so that both share one picture. The "
        "attention weights stay exactly the same.",
    ),
    "scale-c": (
        "Scale c",
        "The number that multiplies queries and divides keys of a head before a map is made. Its choice changes "
        "distances, never attention.",
    ),
    "projection": (
        "Projection, map",
        "A layout of a head's queries and keys in two or three dimensions. Every projection bends distances.",
    ),
    **{method.term[0]: method.term[1:] for method in methods()},
    "perplexity": ("Perplexity", "How many neighbours t-SNE counts as near. The original tool used 50."),
    "fidelity": (
        "Fidelity",
        "How far a map can be believed: each measure below compares distances on the map with attention, or with "
        "distances in the head's own space.",
    ),
    "pearson": (
        "Pearson and Spearman correlation",
        "Over pairs of one input: how well distance follows the dot product, as values (Pearson) and as ranks "
        "(Spearman). −1 is best: the nearer, the more attended.",
    ),
    "query-spearman": (
        "Query Spearman",
        "For each query, how well distance ranks the keys of its input as attention does, averaged. −1 is best.",
    ),
    "trustworthiness": (
        "Trustworthiness",
        "Whether neighbours on the map are neighbours in the head's own space. 1 is best, 0.5 is chance.",
    ),
    "recall": (
        "Neighbour recall",
        "Of the 15 nearest points in the head's space, the share that is among the 15 nearest on the map.",
    ),
    "attended-near": (
        "Attended near",
        "Of each query's 5 most attended keys, the share that is among the 15 keys nearest to it on the map.",
    ),
    "best-near": (
        "Best near",
        "Of each query's 10 best keys in the whole corpus, the share that is among the 100 keys nearest to it.",
    ),
    "preferred-near": (
        "Preferred keys near",
        "As best near, by what a query gives a key beyond what the average query gives it: what the preference map is "
        "made to keep.",
    ),
    "popularity": (
        "Popularity of a key",
        "What the average query gives a key beyond the average key. A popular key gets attention from most queries; on "
        "the preference map it is a large dot.",
    ),
    "signature": (
        "What neighbours tell",
        "How well the 15 nearest points on the map tell a token's position, word or part of speech: a head that sorts "
        "by position has a high number there. 100 % is always, 0 % no better than chance.",
    ),
    "mixing": (
        "Mixing",
        "Of the 15 nearest points, the share of the other kind against a perfect mixture. 0: the kinds lie apart.",
    ),
    "sink": (
        "Attention sink",
        "A token that takes most of the attention without meaning much, often the first token or [SEP]: where a head "
        "looks when it finds nothing.",
    ),
    "previous-token": (
        "Previous-token and next-token head",
        "A head whose queries attend to the token just before, or just after. On UMAP, coloured by position, often a "
        "spiral or a ring.",
    ),
    "positional": ("Positional head", "A head in which the place of a token in its input decides where it lies."),
    "offset": (
        "Offset",
        "The distance from a query to a key in tokens: −1 is the token before, 0 the token itself, +1 the next.",
    ),
    "rollout": (
        "Attention rollout",
        "The attention of all layers up to one, averaged over heads, half of it kept in place, and multiplied: how it "
        "could mix tokens, not what the model uses (Abnar and Zuidema 2020).",
    ),
    "entropy": (
        "Entropy",
        "How widely a query spreads its attention: 0 when all goes to one key, the logarithm of the number of keys "
        "when it is even.",
    ),
    "norm": ("Norm", "The length of a vector."),
    "pos": ("Part of speech", "What a word is in its sentence: noun, verb, adjective, pronoun and so on."),
    "subword": (
        "Subword",
        "Long or rare words are cut into several tokens; all but the first are continuations, often written ##like.",
    ),
    "permalink": ("Link to a view", "The address always holds the present view: copy it, and the same picture opens."),
}
