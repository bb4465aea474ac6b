"""Networks ready to run: the device, the runtime that suits a file, and its sessions."""
