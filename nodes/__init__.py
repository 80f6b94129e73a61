"""The stages. One file per stage; its name is the `type:` in a graph."""
