"""LPIPS and FID: the networks they need, built here, with the published weights."""
