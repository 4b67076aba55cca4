"""A whole atlas as a folder of HTML and data that opens from any web server or file share, without Python.

The scene of all heads and the views of one input are the dashboard's own scripts; what they fetch from a server they
find here in files that a page may load from anywhere, scripts that hold the bytes of docs/payload.md. `contents` says
what a folder holds and how large it gets, `data` makes the files of an atlas, `page` the page and its scripts.
"""

from components.static_atlas.contents import MOST_BYTES, Contents, choose
from components.static_atlas.write import archive, members, write

__all__ = ["MOST_BYTES", "Contents", "archive", "choose", "members", "write"]
