-- title: rows of a load are unaccounted for
-- severity: error
-- rule: rows in = loaded + duplicates + quarantined, always
with quarantine as (
    select
        quarantine.load_id,
        count(*) as rows_listed
    from core.quarantine as quarantine
    group by quarantine.load_id
)

select
    load.load_id,
    load.file,
    load.rows_in,
    load.rows_loaded,
    load.rows_duplicate,
    load.rows_quarantined,
    coalesce(quarantine.rows_listed, 0) as rows_listed
from core.load as load
left join quarantine
    on load.load_id = quarantine.load_id
where load.rows_in
    <> load.rows_loaded + load.rows_duplicate + load.rows_quarantined
    or load.rows_quarantined <> coalesce(quarantine.rows_listed, 0)
order by load.load_id
