mkdir -p tree/link; echo x >tree/link/x
