#!/bin/bash -e
echo "$MOTD" > /etc/motd
