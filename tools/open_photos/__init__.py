"""Training pictures made from photos with an open licence: faces found again, masks painted on."""
