"""What etcd needs now and then so that it goes on: room given back, alarms cleared, members compared."""
