"""Reading, mending, splitting and writing annotated data sets (installed as ``maskdet.datasets``)."""

if __name__ == "datasets":
    # With the repository root on sys.path this folder would shadow Hugging Face's package of that name.
    raise ImportError("this folder is maskdet.datasets: import it by that name")
