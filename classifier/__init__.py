"""The face-crop classifier (installed as ``maskdet.classifier``); its networks come with the crop study."""
