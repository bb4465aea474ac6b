"""The face-crop classifier (installed as ``maskdet.classifier``); its training comes with the crop study."""
