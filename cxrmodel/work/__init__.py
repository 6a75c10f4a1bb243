"""The worker of a hospital: leases jobs, reads them with one model, stores the results and delivers them."""
