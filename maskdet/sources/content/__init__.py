"""What a source holds: files and bytes as pictures, videos and recordings, whatever their names."""
