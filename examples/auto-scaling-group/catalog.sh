#!/bin/bash
# What a machine of the catalog does at its first start: a web server that answers on ${PORT}.
set -euo pipefail

mkdir -p /srv/catalog/catalog
echo ok > /srv/catalog/health
echo "catalog on $(hostname)" > /srv/catalog/catalog/index.html

cat > /etc/systemd/system/catalog.service <<UNIT
[Service]
ExecStart=/usr/bin/python3 -m http.server ${PORT} --directory /srv/catalog
DynamicUser=yes
Restart=always

[Install]
WantedBy=multi-user.target
UNIT
systemctl enable --now catalog
