"""The face-crop classifier (installed as ``maskdet.classifier``): cutting faces, the study's networks, the model."""
