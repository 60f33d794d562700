"""quanhe: facts from Vietnamese defence-diplomacy news, each with its exact place in the text.

Data flows one way, a folder a stage::

    text → windows → mentions → relations → facts → outputs

``data``, ``evaluation`` and ``commands`` stand beside the stages; ``Document`` is the one type that all pass on.
"""

__version__ = "0.1.0"
