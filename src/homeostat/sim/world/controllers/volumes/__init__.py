"""Volumes and claims: who belongs to whom, who makes volumes, and who may go.

`binding` decides, `controller` does it, `provisioner` makes volumes on hosts as the add-on of `homeostat.local.storage`
does, and `protection` lets go of claims that no Pod uses and of volumes that no claim has.
"""
