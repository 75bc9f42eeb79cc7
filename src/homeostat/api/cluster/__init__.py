"""The group cluster.homeostat.dev: business clusters and the package versions that their masters are made of."""
